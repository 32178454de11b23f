package main

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The parts of Marathon's objects that the client shows.

type appList struct {
	Apps []app `json:"apps"`
}

type app struct {
	ID              string            `json:"id"`
	Cmd             string            `json:"cmd"`
	Args            []string          `json:"args"`
	Instances       int               `json:"instances"`
	CPUs            float64           `json:"cpus"`
	Mem             float64           `json:"mem"` // MiB
	Labels          map[string]string `json:"labels"`
	HealthChecks    []json.RawMessage `json:"healthChecks"`
	PortDefinitions []struct {
		Port int    `json:"port"`
		Name string `json:"name"`
	} `json:"portDefinitions"`
	Version     string `json:"version"`
	VersionInfo struct {
		LastScalingAt      string `json:"lastScalingAt"`
		LastConfigChangeAt string `json:"lastConfigChangeAt"`
	} `json:"versionInfo"`
	Staged      int `json:"tasksStaged"`
	Running     int `json:"tasksRunning"`
	Healthy     int `json:"tasksHealthy"`
	Unhealthy   int `json:"tasksUnhealthy"`
	Deployments []struct {
		ID string `json:"id"`
	} `json:"deployments"`
	Tasks       []instance   `json:"tasks"`
	LastFailure *taskFailure `json:"lastTaskFailure"`
	Why         []string     `json:"why"` // beyond Marathon: what it waits for
}

// beyond asks marathonish for what Marathon does not tell.
const beyond = "?embed=instanceIndex&embed=why"

type instance struct {
	ID        string        `json:"id"`
	AppID     string        `json:"appId"`
	Host      string        `json:"host"`
	Ports     []int         `json:"ports"`
	AgentID   string        `json:"slaveId"`
	State     string        `json:"state"`
	StagedAt  string        `json:"stagedAt"`
	StartedAt string        `json:"startedAt"`
	Version   string        `json:"version"`
	Checks    []checkResult `json:"healthCheckResults"`
	Index     *int          `json:"instanceIndex"` // beyond Marathon
}

type checkResult struct {
	Alive    bool   `json:"alive"`
	Failures int    `json:"consecutiveFailures"`
	Cause    string `json:"lastFailureCause"`
}

type taskFailure struct {
	Host      string `json:"host"`
	Message   string `json:"message"`
	State     string `json:"state"`
	TaskID    string `json:"taskId"`
	Timestamp string `json:"timestamp"`
}

// change is the answer to what changes something.
type change struct {
	Version      string `json:"version"`
	DeploymentID string `json:"deploymentId"`
}

type deployment struct {
	ID          string         `json:"id"`
	Version     string         `json:"version"`
	Apps        []string       `json:"affectedApps"`
	Current     []deployAction `json:"currentActions"`
	CurrentStep int            `json:"currentStep"` // from 1
	TotalSteps  int            `json:"totalSteps"`
}

type deployAction struct {
	Action string `json:"action"`
	App    string `json:"app"`
}

type queue struct {
	Queue []queueItem `json:"queue"`
}

type queueItem struct {
	Count int    `json:"count"`
	Why   string `json:"why"` // beyond Marathon: one sentence
	Since string `json:"since"`
	Delay struct {
		TimeLeftSeconds int  `json:"timeLeftSeconds"`
		Overdue         bool `json:"overdue"`
	} `json:"delay"`
	App struct {
		ID string `json:"id"`
	} `json:"app"`
	Offers struct {
		Processed int       `json:"processedOffersCount"`
		Unused    int       `json:"unusedOffersCount"`
		Last      []offered `json:"rejectSummaryLastOffers"`
	} `json:"processedOffersSummary"`
}

// offered is one row of the funnel of reasons: of so many offers that came so far, so many
// were declined for it.
type offered struct {
	Reason    string `json:"reason"`
	Declined  int    `json:"declined"`
	Processed int    `json:"processed"`
}

// current tells whether an instance has the newest configuration; a change of the number of
// instances alone leaves those that are there as they are.
func (a *app) current(i instance) bool { return i.Version >= a.VersionInfo.LastConfigChangeAt }

// well tells whether an instance runs and passes its checks.
func (a *app) well(i instance) bool {
	return i.State == "TASK_RUNNING" && (len(a.HealthChecks) == 0 || i.health() == "healthy")
}

// ready is how many instances have the newest configuration and are well.
func (a *app) ready() int {
	n := 0
	for _, i := range a.Tasks {
		if a.current(i) && a.well(i) {
			n++
		}
	}
	return n
}

// settled tells whether the wanted instances, and no others, are there and well.
func (a *app) settled() bool { return a.ready() == a.Instances && len(a.Tasks) == a.Instances }

// health is what the checks say; nothing as long as none has said it.
func (i instance) health() string {
	for _, c := range i.Checks {
		if !c.Alive {
			return "unhealthy"
		}
	}
	if len(i.Checks) > 0 {
		return "healthy"
	}
	return ""
}

// index is the instance's index as text, or nothing.
func (i instance) index() string {
	if i.Index == nil {
		return ""
	}
	return strconv.Itoa(*i.Index)
}

// name is the part of a task's id that tells it from the others of its service.
func (i instance) name() string {
	tail := i.ID[strings.LastIndexByte(i.ID, '.')+1:]
	return tail[:min(len(tail), 8)]
}

// sorted gives instances by index and in the order of their start.
func sorted(list []instance) []instance {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b instance) int {
		return cmp.Or(len(a.index())-len(b.index()), strings.Compare(a.index(), b.index()), strings.Compare(a.StagedAt, b.StagedAt), strings.Compare(a.ID, b.ID))
	})
	return list
}

// moment reads a time of Marathon's; a text that is none is the zero time.
func moment(text string) time.Time {
	t, _ := time.Parse(time.RFC3339, text)
	return t
}
