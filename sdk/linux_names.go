package sdk

// LinuxCapability is Mesos's CapabilityInfo.Capability enumeration; the empty value means absent.
type LinuxCapability string

// The values of LinuxCapability, by their names on the wire.
const (
	LinuxCapabilityUnknown           LinuxCapability = "UNKNOWN"
	LinuxCapabilityChown             LinuxCapability = "CHOWN"
	LinuxCapabilityDacOverride       LinuxCapability = "DAC_OVERRIDE"
	LinuxCapabilityDacReadSearch     LinuxCapability = "DAC_READ_SEARCH"
	LinuxCapabilityFowner            LinuxCapability = "FOWNER"
	LinuxCapabilityFsetid            LinuxCapability = "FSETID"
	LinuxCapabilityKill              LinuxCapability = "KILL"
	LinuxCapabilitySetgid            LinuxCapability = "SETGID"
	LinuxCapabilitySetuid            LinuxCapability = "SETUID"
	LinuxCapabilitySetpcap           LinuxCapability = "SETPCAP"
	LinuxCapabilityLinuxImmutable    LinuxCapability = "LINUX_IMMUTABLE"
	LinuxCapabilityNetBindService    LinuxCapability = "NET_BIND_SERVICE"
	LinuxCapabilityNetBroadcast      LinuxCapability = "NET_BROADCAST"
	LinuxCapabilityNetAdmin          LinuxCapability = "NET_ADMIN"
	LinuxCapabilityNetRaw            LinuxCapability = "NET_RAW"
	LinuxCapabilityIPCLock           LinuxCapability = "IPC_LOCK"
	LinuxCapabilityIPCOwner          LinuxCapability = "IPC_OWNER"
	LinuxCapabilitySysModule         LinuxCapability = "SYS_MODULE"
	LinuxCapabilitySysRawio          LinuxCapability = "SYS_RAWIO"
	LinuxCapabilitySysChroot         LinuxCapability = "SYS_CHROOT"
	LinuxCapabilitySysPtrace         LinuxCapability = "SYS_PTRACE"
	LinuxCapabilitySysPacct          LinuxCapability = "SYS_PACCT"
	LinuxCapabilitySysAdmin          LinuxCapability = "SYS_ADMIN"
	LinuxCapabilitySysBoot           LinuxCapability = "SYS_BOOT"
	LinuxCapabilitySysNice           LinuxCapability = "SYS_NICE"
	LinuxCapabilitySysResource       LinuxCapability = "SYS_RESOURCE"
	LinuxCapabilitySysTime           LinuxCapability = "SYS_TIME"
	LinuxCapabilitySysTTYConfig      LinuxCapability = "SYS_TTY_CONFIG"
	LinuxCapabilityMknod             LinuxCapability = "MKNOD"
	LinuxCapabilityLease             LinuxCapability = "LEASE"
	LinuxCapabilityAuditWrite        LinuxCapability = "AUDIT_WRITE"
	LinuxCapabilityAuditControl      LinuxCapability = "AUDIT_CONTROL"
	LinuxCapabilitySetfcap           LinuxCapability = "SETFCAP"
	LinuxCapabilityMacOverride       LinuxCapability = "MAC_OVERRIDE"
	LinuxCapabilityMacAdmin          LinuxCapability = "MAC_ADMIN"
	LinuxCapabilitySyslog            LinuxCapability = "SYSLOG"
	LinuxCapabilityWakeAlarm         LinuxCapability = "WAKE_ALARM"
	LinuxCapabilityBlockSuspend      LinuxCapability = "BLOCK_SUSPEND"
	LinuxCapabilityAuditRead         LinuxCapability = "AUDIT_READ"
	LinuxCapabilityPerfmon           LinuxCapability = "PERFMON"
	LinuxCapabilityBpf               LinuxCapability = "BPF"
	LinuxCapabilityCheckpointRestore LinuxCapability = "CHECKPOINT_RESTORE"
)

// Enum lists the names of LinuxCapability with their protobuf numbers.
func (LinuxCapability) Enum() []EnumValue {
	return []EnumValue{
		{"UNKNOWN", 0},
		{"CHOWN", 1000},
		{"DAC_OVERRIDE", 1001},
		{"DAC_READ_SEARCH", 1002},
		{"FOWNER", 1003},
		{"FSETID", 1004},
		{"KILL", 1005},
		{"SETGID", 1006},
		{"SETUID", 1007},
		{"SETPCAP", 1008},
		{"LINUX_IMMUTABLE", 1009},
		{"NET_BIND_SERVICE", 1010},
		{"NET_BROADCAST", 1011},
		{"NET_ADMIN", 1012},
		{"NET_RAW", 1013},
		{"IPC_LOCK", 1014},
		{"IPC_OWNER", 1015},
		{"SYS_MODULE", 1016},
		{"SYS_RAWIO", 1017},
		{"SYS_CHROOT", 1018},
		{"SYS_PTRACE", 1019},
		{"SYS_PACCT", 1020},
		{"SYS_ADMIN", 1021},
		{"SYS_BOOT", 1022},
		{"SYS_NICE", 1023},
		{"SYS_RESOURCE", 1024},
		{"SYS_TIME", 1025},
		{"SYS_TTY_CONFIG", 1026},
		{"MKNOD", 1027},
		{"LEASE", 1028},
		{"AUDIT_WRITE", 1029},
		{"AUDIT_CONTROL", 1030},
		{"SETFCAP", 1031},
		{"MAC_OVERRIDE", 1032},
		{"MAC_ADMIN", 1033},
		{"SYSLOG", 1034},
		{"WAKE_ALARM", 1035},
		{"BLOCK_SUSPEND", 1036},
		{"AUDIT_READ", 1037},
		{"PERFMON", 1038},
		{"BPF", 1039},
		{"CHECKPOINT_RESTORE", 1040},
	}
}

// RLimitType is Mesos's RLimitInfo.RLimit.Type enumeration; the empty value means absent.
type RLimitType string

// The values of RLimitType, by their names on the wire.
const (
	Unknown          RLimitType = "UNKNOWN"
	RLimitAs         RLimitType = "RLMT_AS"
	RLimitCore       RLimitType = "RLMT_CORE"
	RLimitCpu        RLimitType = "RLMT_CPU"
	RLimitData       RLimitType = "RLMT_DATA"
	RLimitFsize      RLimitType = "RLMT_FSIZE"
	RLimitLocks      RLimitType = "RLMT_LOCKS"
	RLimitMemlock    RLimitType = "RLMT_MEMLOCK"
	RLimitMsgqueue   RLimitType = "RLMT_MSGQUEUE"
	RLimitNice       RLimitType = "RLMT_NICE"
	RLimitNOFILE     RLimitType = "RLMT_NOFILE"
	RLimitNproc      RLimitType = "RLMT_NPROC"
	RLimitRss        RLimitType = "RLMT_RSS"
	RLimitRtprio     RLimitType = "RLMT_RTPRIO"
	RLimitRttime     RLimitType = "RLMT_RTTIME"
	RLimitSigpending RLimitType = "RLMT_SIGPENDING"
	RLimitStack      RLimitType = "RLMT_STACK"
)

// Enum lists the names of RLimitType with their protobuf numbers.
func (RLimitType) Enum() []EnumValue {
	return []EnumValue{
		{"UNKNOWN", 0},
		{"RLMT_AS", 1},
		{"RLMT_CORE", 2},
		{"RLMT_CPU", 3},
		{"RLMT_DATA", 4},
		{"RLMT_FSIZE", 5},
		{"RLMT_LOCKS", 6},
		{"RLMT_MEMLOCK", 7},
		{"RLMT_MSGQUEUE", 8},
		{"RLMT_NICE", 9},
		{"RLMT_NOFILE", 10},
		{"RLMT_NPROC", 11},
		{"RLMT_RSS", 12},
		{"RLMT_RTPRIO", 13},
		{"RLMT_RTTIME", 14},
		{"RLMT_SIGPENDING", 15},
		{"RLMT_STACK", 16},
	}
}
