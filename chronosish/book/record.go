package book

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/profferhq/proffer/chronosish/due"
	"github.com/profferhq/proffer/chronosish/graph"
	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/sdk"
)

// The keys of the store. Names of jobs have no slash.
const (
	keyJobs    = "jobs/"
	keyStates  = "states/"
	keyRuns    = "runs/"
	keyHistory = "history/"
)

func jobKey(name string) string     { return keyJobs + name }
func stateKey(name string) string   { return keyStates + name }
func runKey(r *runRecord) string    { return keyRuns + r.Job + "/" + born(r.Born) + "-" + r.id() }
func born(at int64) string          { return strconv.FormatInt(at, 36) }
func historyKey(rec *Record) string { return fmt.Sprintf("%s%s/%016x", keyHistory, rec.Job, rec.Seq) }
func put(key string, v any) sdk.StoreOp {
	return sdk.StoreOp{Type: sdk.StorePut, Key: key, Value: encode(v)}
}
func remove(key string) sdk.StoreOp      { return sdk.StoreOp{Type: sdk.StoreDelete, Key: key} }
func removeBelow(key string) sdk.StoreOp { return sdk.StoreOp{Type: sdk.StoreDeletePrefix, Key: key} }
func encode(v any) []byte                { data, _ := json.Marshal(v); return data } // plain data always can

// definition is a job as the store keeps it: all fields as they are, not as Chronos
// shows them.
type definition job.Job

// jobRecord is what the store keeps of a definition.
type jobRecord struct {
	Born  int64      `json:"born"`
	Floor time.Time  `json:"floor,omitzero"` // slots up to here are not the job's
	Job   definition `json:"job"`
	Files []int      `json:"files,omitempty"` // places in Job.Fetch whose data stands below filesKey
}

// stateRecord is what the store keeps of what has become of a job.
type stateRecord struct {
	Born      int64        `json:"born"`
	Handled   time.Time    `json:"handled,omitzero"` // last slot that was dealt with, but for those of runs
	Made      int64        `json:"made,omitempty"`   // nominal time of the last run that no slot has caused
	Successes int          `json:"successes,omitempty"`
	Errors    int          `json:"errors,omitempty"`
	Since     int          `json:"since,omitempty"` // errors since the last success
	Success   time.Time    `json:"success,omitzero"`
	Error     time.Time    `json:"error,omitzero"`
	Tokens    graph.Tokens `json:"tokens,omitempty"`
}

// succeed counts a success of the job.
func (s *stateRecord) succeed(born int64, now time.Time) {
	s.Born, s.Successes, s.Since, s.Success = born, s.Successes+1, 0, now
}

// runRecord is what the store keeps of one run, from its decision until it has ended.
type runRecord struct {
	Job       string      `json:"job"`
	Born      int64       `json:"born"`
	Cause     Cause       `json:"cause"`
	Nominal   time.Time   `json:"nominal"`
	Attempt   int         `json:"attempt"`
	Failures  int         `json:"failures,omitempty"`
	Parents   []string    `json:"parents,omitempty"`
	Arguments *string     `json:"arguments,omitempty"`
	Decided   time.Time   `json:"decided"`
	NotBefore time.Time   `json:"notBefore,omitzero"`
	Task      sdk.TaskID  `json:"task,omitempty"`
	Agent     sdk.AgentID `json:"agent,omitempty"`
	Host      string      `json:"host,omitempty"`
	Staged    time.Time   `json:"staged,omitzero"`
	Started   time.Time   `json:"started,omitzero"`
	Lost      time.Time   `json:"lost,omitzero"`    // its agent is unreachable: see mind.Absent
	Absence   int64       `json:"absence,omitzero"` // which absence of it
	Stop      due.Stop    `json:"stop,omitempty"`
}

// id tells the run from the others of its job.
func (r *runRecord) id() string {
	return fmt.Sprintf("%s-%016d", r.Cause, r.Nominal.UnixMilli())
}

// taskID is that of the present attempt. It follows from the job, the nominal time and
// the number of the attempt alone, in the form that Chronos gives it; what stands where
// Chronos has the arguments tells a job from an earlier one of its name, and runs that
// no slot has caused from those of slots.
func (r *runRecord) taskID() sdk.TaskID {
	id := fmt.Sprintf("ct:%d:%d:%s:%s", r.Nominal.UnixMilli(), r.Attempt, r.Job, born(r.Born))
	if r.Cause != BySlot {
		id += "." + string(r.Cause)
	}
	return sdk.TaskID(id)
}

// JobOf is the job that a task's id names; empty: it is not one of ours.
func JobOf(id sdk.TaskID) string {
	if part := strings.Split(string(id), ":"); len(part) == 5 && part[0] == "ct" {
		return part[3]
	}
	return ""
}
