package sdk

// LaunchSpec is everything that the parent of a process needs to start it: plain
// data, made by the agent's isolators and applied by the one launch function of
// sdk/executor (the launcher applies it for executors, the default executor for
// its tasks). It is Proffer's own; Mesos has no such message.
type LaunchSpec struct {
	Version     uint32      `wire:"1,version,required"`            // LaunchVersion of the writer
	ContainerID string      `wire:"2,container_id,required"`       // one fresh id per run, never reused
	FrameworkID FrameworkID `wire:"3,framework_id,value,required"` // whose it is
	ExecutorID  ExecutorID  `wire:"4,executor_id,value,required"`  // the executor itself, or the one that runs the task
	TaskID      TaskID      `wire:"5,task_id,value"`               // empty when the process is an executor
	Group       string      `wire:"6,group"`                       // the same for the tasks of one group; set by the executor

	Path string   `wire:"10,path,required"` // the program, absolute or looked up in Env's PATH
	Args []string `wire:"11,args"`          // argv, Args[0] included
	Env  []string `wire:"12,env"`           // KEY=value; nothing else is inherited
	Dir  string   `wire:"13,dir,required"`  // working directory: the sandbox

	UID    uint32   `wire:"20,uid"`
	GID    uint32   `wire:"21,gid"`
	Groups []uint32 `wire:"22,groups"`  // supplementary groups
	SetIDs bool     `wire:"23,set_ids"` // false: keep the parent's ids (an agent without root)

	CgroupsV1   []string      `wire:"30,cgroups_v1"` // directories, one per hierarchy, to be born in
	CgroupV2    string        `wire:"31,cgroup_v2"`  // directory to be cloned into
	RLimits     []LaunchLimit `wire:"32,rlimits"`
	NoNewPrivs  bool          `wire:"33,no_new_privs"`
	Bounding    []uint32      `wire:"34,bounding"`      // capabilities kept when DropBounding is set
	DropBound   bool          `wire:"35,drop_bounding"` // drop every other capability from the bounding set
	Seccomp     []byte        `wire:"36,seccomp"`       // a BPF program, 8 bytes an instruction; empty for none
	OOMScoreAdj int32         `wire:"37,oom_score_adj"`

	RuntimeDir string `wire:"40,runtime_dir,required"` // FIFOs, launch marker, process record; root's
	LogDir     string `wire:"41,log_dir,required"`     // rotated stdout and stderr; root's
	LogBytes   int64  `wire:"42,log_bytes"`            // size of one log file before it is rotated
	LogFiles   uint32 `wire:"43,log_files"`            // files kept per stream, the current one included

	KillGraceNanos int64 `wire:"50,kill_grace_nanos"` // from SIGTERM to SIGKILL
	MaxRunNanos    int64 `wire:"51,max_run_nanos"`    // 0: no max_completion_time

	HealthChecks []HealthCheck `wire:"60,health_checks"` // of the task; set by the executor, for its successor
}

// LaunchVersion is the format of LaunchSpec that this code writes; a reader
// refuses a newer one by name.
const LaunchVersion = 1

// LaunchLimit is one resource limit, by its Linux number (RLIMIT_*).
type LaunchLimit struct {
	Resource uint32 `wire:"1,resource,required"`
	Soft     uint64 `wire:"2,soft,required"`
	Hard     uint64 `wire:"3,hard,required"`
}

// Process names a process for ever; a pid alone is used again.
type Process struct {
	PID       int32  `wire:"1,pid,required"`
	StartTime uint64 `wire:"2,start_time,required"` // field 22 of /proc/PID/stat, in clock ticks since boot
	BootID    string `wire:"3,boot_id,required"`    // /proc/sys/kernel/random/boot_id
}
