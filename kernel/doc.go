// Package kernel is Proffer's architecture page; it has no code of its own.
//
// # What it is
//
// A datacenter kernel offers the resources of many Linux machines to frameworks, which
// decide what to run on them. Masters own the offers; agents own the machines; a launcher
// and executors are the parents of the processes.
//
//	framework --calls-->  master (leader)  --RUN, KILL, ACK-->  agent --spec--> launcher --> executor --> task
//	          <-events--   cluster+allocator <--status updates--  ledger <--exits--------------'
//
// # Pure cores, shells around them
//
// Everything that decides is a pure package: it has no clock, network, disk, goroutine or
// log. Inputs and the time go in, effects come out as data; the shell around it performs
// them. So behaviour can be read as scripts (testdata), compared with slow twins, and run
// by kernel/sim at thousands of steps a second.
//
//	kernel/allocator      who is offered what; the books of every agent's resources
//	kernel/cluster        the leading master's mind: inputs in, effects out
//	kernel/registry       the facts that survive every master; Apply, Snapshot, Restore
//	kernel/store          the frameworks' key-value spaces, beside it in one state machine
//	kernel/view           what readers see, folded from the operator's event stream
//	kernel/link           the messages between master and agent
//	kernel/agent/ledger   the agent's durable mind: admission, fencing, update queues, tombstones
//
// and the shells:
//
//	kernel/master         one loop that feeds cluster and performs its effects; HTTP
//	kernel/agent          one loop that feeds ledger, writes its records, performs its effects; isolators; HTTP
//	kernel/consensus      raft around registry and store      (the only importer of the raft library)
//	kernel/boot           init: the built-in framework that keeps the boot manifest running
//	kernel/membership     gossip: who is around; a hint (the only importer of memberlist)
//	kernel/up             the supervisor of a whole cluster on one machine
//
// # Where each fact lives
//
// In the registry, replicated: admitted, unreachable and gone agents, frameworks with their
// failover deadlines, weights, the boot manifest, the generation. In the store, in the same replicated log: a
// framework's own state, in spaces of a principal and a name; leases with the keys attached
// to them; a bounded history for watches. Its revision is the log's index; the registry's
// proposals go first. How much time is left to a lease is in the leader's memory only and
// begins anew with each leader; one that was granted to a task's token ends as soon as the
// leader learns that the task has ended (see Who is there). In the leader's memory, rebuilt from the
// agents' registrations: offers, allocations, the live view of tasks; a launch passes no
// consensus. In the agent's checkpoint: executors, tasks, unacknowledged updates,
// tombstones. Gossip holds hints only; it authorises nothing.
//
// # One task's life
//
//  1. A framework subscribes: the leader commits its id and info, then answers.
//  2. The allocator picks it, by dominant resource fairness over the tree of roles; an offer
//     goes down its stream, and is taken back when nobody answers.
//  3. ACCEPT: the leader validates, charges the books, sends RUN. Nothing is durable yet:
//     after each SUBSCRIBED a framework reconciles what it has launched.
//  4. The agent checks that the id is new (tombstones), that the command is no deposed
//     leader's (the pair of generation and term), that the task fits; it writes the task
//     down and syncs before anything runs, for many tasks at once.
//  5. Isolators prepare the container and fill in a launch specification; the framework's
//     executor applies it: a child made by one clone joins the groups, sets limits, user and
//     filters, and executes the program, all without a second exec. A file that appears
//     whole and exclusively before the fork is marker and record of the process in one: a
//     second start is impossible, and no child is ever unknown.
//  6. The exit is recorded before it is reaped. The agent empties the group, asks the memory
//     group whether it killed, writes the terminal state down, and only then is it visible.
//  7. Updates go in order, each until it is acknowledged; what is acknowledged leaves a
//     tombstone for a day.
//
// # The gateway
//
// http://any-master:5050/service/NAME/PATH is PATH of the framework of that name that is
// subscribed now, at the webui_url that it said; --publish 8080=marathonish gives a name a
// port of its own, which every master of a machine opens (SO_REUSEPORT). Only the leader
// knows the addresses: a follower carries a request one hop. The caller's credential is
// checked by the master and goes no further. What the framework gets instead is a signature
// over itself, the caller, method, path and time (sdk/gateway), made with a key that is
// derived from the cluster's for that framework's principal alone. Of a published name only
// one framework is let in at a time.
//
// # Boot
//
// The leader runs init (kernel/boot): a framework of an id that follows from the cluster's,
// over HTTP to its own master, on ordinary offers. What it starts is the boot manifest, in
// the registry since the bootstrap and changed by SET_BOOT_MANIFEST. Each attempt is a
// record in the store before it is launched, under a key that the newest leader's init has
// claimed; another attempt needs a definite end of the last, or an unreachable agent. Its
// role, system, is served before all others and has room kept on every agent
// (--system-headroom), less what it has there already; only operators and principals that
// may start frameworks get it. GET_BOOT says what each instance waits for, and TASK_ADDED
// by which offer it was started.
//
// # Who is there
//
// An agent that says nothing on its stream for --agent-timeout is unreachable; where
// gossip does not reach it either, half of that is enough, and gossip alone ends nothing.
// A new leader gives agents --recovery-timeout to come back, those that gossip has lost
// --agent-timeout. A leader that stood still itself gives everybody half of the time anew.
// More than half of the agents silent at once are rather a cut between them and the
// masters: none is given up for five minutes (--agent-removal-guard), and status says so.
// --agent-removal-rate-limit bounds how fast they go. What an agent ran is unreachable,
// not lost; it comes back with its tasks, kills that waited for it are carried out, and
// only an operator's word (MARK_AGENT_GONE) makes the end certain. Those kills stand in
// the registry, whatever leader was told them, until the agent has reported the ends, is
// gone, or the framework is removed; one that named no agent, of a task that the leader did
// not know, is not kept. DRAIN_AGENT kills through the ordinary KILL, so that an agent of an
// older version is drained as well; what operators decided about an agent stands in the
// registry and outlives leader and agent.
//
// A new agent registers with a nonce until it knows its id: where the answer is lost, it is
// given the same id again, once all masters are of a release that knows nonces. A second one
// would leave what was launched on the first unreachable, with nobody who ever tells how it
// ended, until an operator gives it up.
//
// Unreachable and gone agents are forgotten after --registry-max-agent-age (and above
// --registry-max-agent-count of either kind, the oldest first): the leader looks every
// --registry-gc-interval and proposes its own time, so that all masters forget the same.
// What they ran is TASK_UNKNOWN from then on. An unreachable one may still come back, with
// its id and tasks: they live, and nobody said that they are to end. A gone one may not: its
// tasks were told as ended for certain, so the ids of the last 10,000 that were forgotten
// stay refused; only one older than that is let in, as Mesos lets in every one of them.
//
// Only what is known to have ended loses its token and its leases: the agent of the task has
// said so, or is back without it, or was given up by an operator. A token names its agent,
// and so does a lease that was granted to one. While that agent is awaited by a new leader,
// or unreachable, its frameworks are taken at their word: they keep their leases alive,
// write under their guards, subscribe; all of it ends when the agent is back without the
// task. A token of an agent that is not known at all (its cluster is empty yet, or has
// forgotten it) waits, but keeps its own lease alive. A lease that nobody keeps alive ends
// in its time, whatever is known of its task; time for which the leader itself stood still
// is given back.
//
// A new leader learns from the agents. Until one is back nothing is said of what it may run,
// and nothing is offered before 80 % of them are back, or five seconds have passed. How long
// a framework may be away is written down as a span of one master's clock, so that neither a
// time without a leader nor another clock shortens it; it is announced (NOTICE) before it
// ends. marathonish and chronosish count from when they hear that an agent is unreachable
// (when it became so is told by the leader's clock, and when a task began by the agent's), and
// a successor counts anew.
//
// # The masters
//
// One master is made a cluster by --bootstrap, unless one that --join leads to has it
// already; three or five find each other by --expect, the list of their raft addresses:
// the first of the list makes the cluster when all of them answer and none has one, the
// others ask to be added. Later ones ask by --raft-join, or are named by an operator
// (proffer cluster join). They talk about that on the raft port, behind its handshake:
// gossip only tells addresses. The leader writes down what a new one understands, so that
// nothing newer is proposed; has it told everything without a vote; and then lets it vote.
// A master with an empty disk answers no message of raft before a leader has said that it
// is added: one that comes back without its disk would give away the vote, and with that
// the promises, of the one that it was. It is removed by name, and joins under another.
//
// Any master answers operators, the store and the gateway, by carrying a call one hop
// to the leader; agents and frameworks speak to the leader itself and get a redirect. While
// nobody leads a call waits a moment (--leader-wait), then it is refused with Retry-After.
// That is a tenth of a second where the leader's process has died, which its machine tells.
//
// What is kept on disk is judged as a whole at the start, and what is damaged is named with
// what is lost. A master goes on with an older snapshot where its log reaches back to it, and
// else stays away rather than vote with less than it promised. An agent goes on with what is
// left of its checkpoint, as the same agent: what it lost is ended and gone, never "was not
// here". A launch record that cannot be read still forbids a second launch. In the
// place of raft.db, a checkpoint or a launch record an empty file is a loss, not a beginning.
//
// What the masters keep can be saved, and restored onto new ones. What has happened since the
// file was saved nobody knows any more, and the same file may be restored again. So the
// generation after a restore is the time in seconds, which fences everything that was sent
// before; it is part of the ids that are made from then on; and the log goes on at an index
// that follows from it, so that no revision and no lease is given twice. The leases are gone
// with their keys: schedulers lead anew, in the same process, and read what the store has.
// Until the restore new masters are an empty cluster: agents, frameworks, and the tokens and
// leases of tasks, of another one are told to wait (503) and not that they have ended, until
// a framework uses the cluster. init, which has no agent to launch on, does not.
//
// # What survives what
//
//	killed               what happens
//	task's executor      the launcher inherits its tasks and keeps their exit records; a successor adopts them
//	launcher             executors finish what they have; the agent, a subreaper, starts another
//	executor + launcher  the agent inherits; exit statuses come from the records, or from the pidfd (Linux 6.15)
//	agent                executors go on and subscribe again; the next agent reads its checkpoint, and has
//	                     launcher and executors execute their program anew where its file was replaced
//	master               agents and frameworks register with the next leader; no task notices
//	marathonish          init starts it again; its lease has ended with its task, so the next one leads at once,
//	                     reads the store, reconciles, and goes on; its instances do not notice
//	`proffer up`         its daemons end with it, tasks go on; the next one on that directory carries on
//
// Output is in FIFOs that the launch function and the agent hold open, drained by splice to
// the log's end: no byte is ever only in a process's memory, and the last words of a task
// outlive its executor.
//
// # Where this differs from Mesos, and why
//
//   - No TASK_STARTING from the default executor: one update fewer for each task.
//   - Offers time out by default, and every framework's default failover time is a day.
//   - Tokens of executors and of frameworks that run as tasks are made by the agent, which
//     holds the cluster's key as the masters do: a token need not travel, and a task that is
//     prepared again after a crash of its agent gets a new one without asking.
//   - The launch function makes its system calls in the child of a vfork-like clone instead of
//     on a thread that dies: seccomp, the bounding set and rlimits then concern the child
//     alone, nothing of the parent's is changed, and each step that fails is named.
//   - sdk/masters is the floor that sdk/framework and sdk/operator share: find the leader,
//     follow its redirects, never send twice what may have been acted on.
//   - A framework reads the output of its own tasks through a master (/api/v1/logs), which
//     shows the agent a token for that one task, good for a moment: agents take no token of
//     a framework, because only masters know whether its task lives.
//   - kernel/credential holds the cluster's key and its tokens; kernel/up is the supervisor.
//   - One container's states have no package of their own: the ledger decides (run, kill, end),
//     and the shell's box holds the order of preparing and cleaning. Two machines for one life
//     would have to agree.
//   - Files that travel inside a task are data: URIs (RFC 2397), so that no message of Mesos
//     had to be changed for them.
//   - A framework's address (webui_url) is not only shown: the gateway leads there. Tokens are
//     taken as token=… too, which DC/OS's clients send.
//   - Health checks are made beside the task whatever their spelling (executor/probe decides,
//     executor/checker does); HealthCheck, TaskInfo and TaskStatus have fields for several of them.
//   - marathonish is cut as the kernel is: app (what is wanted, Marathon's JSON), plan (whom to
//     launch and end), placement (where), health (what checks mean), fleet (the mind over them),
//     event, all pure; launch builds tasks; api is Marathon's REST; the rest is shell.
//   - sdk/gateway is how a framework behind the gateway knows who calls.
//   - sdk/scheduler is the shell that marathonish and chronosish have in common, for third
//     parties too: lease, store, kernel calls and API around a pure mind in the words of
//     sdk/scheduler/mind.
//   - Followers do not answer reads from a view of their own: they carry them to the leader,
//     so that who has changed something sees it at every master.
//   - A lone master's raft has time-outs of a second and is told to stand for election as
//     soon as it starts (TimeoutNow, as at a handover): it leads at once, and wakes seldom.
//   - A master that stops closes its raft port before raft ends, and its connections after it:
//     the others take that for a death, and wait for no time-out. Raft's connections end after
//     ten seconds without a byte, and are made anew when they are needed.
//   - Where the raft library itself loses or delays something (entries for a master that is back,
//     a commit told behind what was sent, a write in a successor's term, a candidate that keeps a
//     dead leader, a handing over that never ends), that is put right around it; kernel/consensus
//     says how.
//   - What an instance leaves in a full store of marathonish is its successor's until that is
//     stored. That is known by refusals, and not stored itself: an app that is being deployed
//     and loses an instance together with its marathonish may stay short of it until there is
//     room. For five seconds after a takeover apps that lack instances come before those that grow.
//   - Fields of our own in Mesos's messages are numbered from 1000 on; clients ignore them.
//
// # Concurrency
//
// One goroutine owns each mind (cluster, ledger); connections encode and decode in
// goroutines of their own and hand over values that nobody changes afterwards.
package kernel
