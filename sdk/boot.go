package sdk

import (
	"encoding/json"
	"fmt"
	"math"
)

// BootManifest is what a cluster starts by itself: Proffer's own message. The built-in
// framework `init` keeps its frameworks running; its apps travel with them, in the file
// boot-apps.json of their sandboxes, and are theirs to make, once.
type BootManifest struct {
	Frameworks []BootFramework `wire:"1,frameworks"`
	Apps       []string        `wire:"2,apps"` // definitions of Marathon apps, a JSON object each
}

// BootFramework is one framework that init starts.
type BootFramework struct {
	Name      string  `wire:"1,name,required"`      // of its tasks
	Principal string  `wire:"2,principal,required"` // whose credentials its tasks get
	Command   string  `wire:"3,command,required"`   // for /bin/sh -c; $PROFFER_BINARY is the agent's own program
	Instances uint32  `wire:"4,instances,required"`
	Role      string  `wire:"5,role,required"`
	CPUs      float64 `wire:"6,cpus,required"`
	Mem       float64 `wire:"7,mem,required"` // MiB
	MemLimit  float64 `wire:"8,mem_limit"`    // MiB that it may use at most; 0: Mem
	User      string  `wire:"9,user"`         // empty: a uid of its own
}

// Needs are the resources of one instance.
func (f *BootFramework) Needs() Resources {
	return Resources{NewScalar("cpus", f.CPUs), NewScalar("mem", f.Mem)}
}

// Limits of a manifest.
const (
	MaxBootInstances = 100       // of one framework
	MaxBootBytes     = 256 << 10 // of all apps; they travel inside each task
)

// Validate is the first thing that is wrong with the manifest (CodeInvalid, with its
// path), but for its roles, which only the kernel can judge.
func (m *BootManifest) Validate() error {
	names := map[string]bool{}
	for i := range m.Frameworks {
		f := &m.Frameworks[i]
		field := fmt.Sprintf("frameworks[%d].", i)
		if err := ValidateID(field+"name", f.Name); err != nil {
			return err
		}
		if err := ValidateID(field+"principal", f.Principal); err != nil {
			return err
		}
		amount := func(v float64) bool { return v > 0 && v <= MaxScalar }
		switch {
		case names[f.Name]:
			return Errorf(CodeInvalid, field+"name", "%q is there twice", f.Name)
		case f.Command == "" || len(f.Command) > 64<<10:
			return Errorf(CodeInvalid, field+"command", "must be a line for the shell, of at most %d bytes", 64<<10)
		case f.Instances > MaxBootInstances:
			return Errorf(CodeInvalid, field+"instances", "is %d, at most %d are allowed", f.Instances, MaxBootInstances)
		case f.Role == "":
			return Errorf(CodeInvalid, field+"role", "must not be empty; `system` is the role that no full cluster starves")
		case !amount(f.CPUs):
			return Errorf(CodeInvalid, field+"cpus", "is %v, must be above zero", f.CPUs)
		case !amount(f.Mem):
			return Errorf(CodeInvalid, field+"mem", "is %v, must be above zero, in MiB", f.Mem)
		case f.MemLimit != 0 && (math.IsNaN(f.MemLimit) || f.MemLimit < f.Mem || f.MemLimit > MaxScalar):
			return Errorf(CodeInvalid, field+"mem_limit", "is %v, must be 0 or at least mem (%v)", f.MemLimit, f.Mem)
		}
		names[f.Name] = true
	}
	size := 0
	for i, text := range m.Apps {
		var app struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal([]byte(text), &app); err != nil {
			return Errorf(CodeInvalid, fmt.Sprintf("apps[%d]", i), "is no app: %v", err)
		}
		if app.ID == "" {
			return Errorf(CodeInvalid, fmt.Sprintf("apps[%d].id", i), "must not be empty")
		}
		size += len(text)
	}
	if size > MaxBootBytes {
		return Errorf(CodeExhausted, "apps", "have %d bytes, at most %d are allowed", size, MaxBootBytes)
	}
	return nil
}

// BootState says what init is doing about one instance.
type BootState string

// The states of an instance.
const (
	BootWaiting  BootState = "WAITING"  // for an offer; Why says what is missing
	BootPausing  BootState = "PAUSING"  // it ended too soon, again; Why says when it starts
	BootStarting BootState = "STARTING" // launched, and nothing was heard yet
	BootRunning  BootState = "RUNNING"
	BootStopping BootState = "STOPPING" // told to end: the manifest has changed
)

// Enum lists the names of BootState with their protobuf numbers.
func (BootState) Enum() []EnumValue {
	return []EnumValue{{"WAITING", 1}, {"PAUSING", 2}, {"STARTING", 3}, {"RUNNING", 4}, {"STOPPING", 5}}
}

// SetBootManifest is Proffer's own operator call: another manifest from now on. What runs
// and is not in it any more is ended, what is described otherwise is replaced.
type SetBootManifest struct {
	Manifest BootManifest `wire:"1,manifest,required"`
}

// GetBootManifest answers GET_BOOT_MANIFEST; Manifest is nil for a cluster that starts
// nothing.
type GetBootManifest struct {
	Manifest *BootManifest `wire:"1,manifest"`
}

// GetBoot answers GET_BOOT: what init does now.
type GetBoot struct {
	Instances []BootInstance `wire:"1,instances"`
	Message   string         `wire:"2,message"` // why init as a whole does nothing; empty while it works
	Idle      bool           `wire:"3,idle"`    // there is no manifest: nothing is to be done
}

// BootInstance is one instance of a framework of the manifest.
type BootInstance struct {
	Framework string    `wire:"1,framework,required"` // its name in the manifest
	Index     uint32    `wire:"2,index,required"`
	State     BootState `wire:"3,state,required"`
	Why       string    `wire:"4,why"` // what it waits for, or how it ended
	TaskID    TaskID    `wire:"5,task_id,value"`
	AgentID   AgentID   `wire:"6,agent_id,value"`
	Hostname  string    `wire:"7,hostname"`
	OfferID   OfferID   `wire:"8,offer_id,value"` // by which it was launched
	Attempts  uint64    `wire:"9,attempts"`       // launches ever
	Failures  uint32    `wire:"10,failures"`      // in a row
	Since     *TimeInfo `wire:"11,since"`         // of the launch, or of the end
}
