package sdk

// Call is what a framework says to the master: mesos.v1.scheduler.Call. Type says
// which one of the bodies counts.
type Call struct {
	FrameworkID                FrameworkID                 `wire:"1,framework_id,value"`
	Type                       CallType                    `wire:"2,type"`
	Subscribe                  *Subscribe                  `wire:"3,subscribe"`
	Accept                     *Accept                     `wire:"4,accept"`
	Decline                    *Decline                    `wire:"5,decline"`
	AcceptInverseOffers        *AcceptInverseOffers        `wire:"13,accept_inverse_offers"`
	DeclineInverseOffers       *DeclineInverseOffers       `wire:"14,decline_inverse_offers"`
	Revive                     *Revive                     `wire:"15,revive"`
	Kill                       *Kill                       `wire:"6,kill"`
	Shutdown                   *Shutdown                   `wire:"7,shutdown"`
	Acknowledge                *Acknowledge                `wire:"8,acknowledge"`
	AcknowledgeOperationStatus *AcknowledgeOperationStatus `wire:"17,acknowledge_operation_status"`
	Reconcile                  *Reconcile                  `wire:"9,reconcile"`
	ReconcileOperations        *ReconcileOperations        `wire:"18,reconcile_operations"`
	Message                    *Message                    `wire:"10,message"`
	Request                    *Requests                   `wire:"11,request"`
	Suppress                   *Suppress                   `wire:"16,suppress"`
	UpdateFramework            *UpdateFramework            `wire:"19,update_framework"`
}

// CallType is Mesos's Call.Type enumeration; the empty value means absent.
type CallType string

// The values of CallType, by their names on the wire.
const (
	CallUnknown                    CallType = "UNKNOWN"
	CallSubscribe                  CallType = "SUBSCRIBE"
	CallTeardown                   CallType = "TEARDOWN"
	CallAccept                     CallType = "ACCEPT"
	CallDecline                    CallType = "DECLINE"
	CallAcceptInverseOffers        CallType = "ACCEPT_INVERSE_OFFERS"
	CallDeclineInverseOffers       CallType = "DECLINE_INVERSE_OFFERS"
	CallRevive                     CallType = "REVIVE"
	CallKill                       CallType = "KILL"
	CallShutdown                   CallType = "SHUTDOWN"
	CallAcknowledge                CallType = "ACKNOWLEDGE"
	CallAcknowledgeOperationStatus CallType = "ACKNOWLEDGE_OPERATION_STATUS"
	CallReconcile                  CallType = "RECONCILE"
	CallReconcileOperations        CallType = "RECONCILE_OPERATIONS"
	CallMessage                    CallType = "MESSAGE"
	CallRequest                    CallType = "REQUEST"
	CallSuppress                   CallType = "SUPPRESS"
	CallUpdateFramework            CallType = "UPDATE_FRAMEWORK"
)

// Enum lists the names of CallType with their protobuf numbers.
func (CallType) Enum() []EnumValue {
	return []EnumValue{
		{"UNKNOWN", 0},
		{"SUBSCRIBE", 1},
		{"TEARDOWN", 2},
		{"ACCEPT", 3},
		{"DECLINE", 4},
		{"ACCEPT_INVERSE_OFFERS", 13},
		{"DECLINE_INVERSE_OFFERS", 14},
		{"REVIVE", 5},
		{"KILL", 6},
		{"SHUTDOWN", 7},
		{"ACKNOWLEDGE", 8},
		{"ACKNOWLEDGE_OPERATION_STATUS", 15},
		{"RECONCILE", 9},
		{"RECONCILE_OPERATIONS", 16},
		{"MESSAGE", 10},
		{"REQUEST", 11},
		{"SUPPRESS", 12},
		{"UPDATE_FRAMEWORK", 17},
	}
}

// Subscribe opens the stream of events: mesos.v1.scheduler.Call.Subscribe. A framework
// that has an id tells it in Call.FrameworkID and in FrameworkInfo.ID, both or neither.
type Subscribe struct {
	FrameworkInfo    FrameworkInfo     `wire:"1,framework_info,required"`
	SuppressedRoles  []string          `wire:"2,suppressed_roles"`
	OfferConstraints *OfferConstraints `wire:"3,offer_constraints"`
}

// Accept uses offers of one agent: mesos.v1.scheduler.Call.Accept. The operations are
// done in order; what they leave is declined, with the filters.
type Accept struct {
	OfferIDs   []OfferID   `wire:"1,offer_ids,value"`
	Operations []Operation `wire:"2,operations"`
	Filters    *Filters    `wire:"3,filters"`
}

// Decline gives offers back: mesos.v1.scheduler.Call.Decline.
type Decline struct {
	OfferIDs []OfferID `wire:"1,offer_ids,value"`
	Filters  *Filters  `wire:"2,filters"`
}

// AcceptInverseOffers is the message mesos.v1.scheduler.Call.AcceptInverseOffers.
type AcceptInverseOffers struct {
	InverseOfferIDs []OfferID `wire:"1,inverse_offer_ids,value"`
	Filters         *Filters  `wire:"2,filters"`
}

// DeclineInverseOffers is the message mesos.v1.scheduler.Call.DeclineInverseOffers.
type DeclineInverseOffers struct {
	InverseOfferIDs []OfferID `wire:"1,inverse_offer_ids,value"`
	Filters         *Filters  `wire:"2,filters"`
}

// Revive asks for offers again and drops the filters, for the named roles or all:
// mesos.v1.scheduler.Call.Revive.
type Revive struct {
	Roles []string `wire:"1,roles"`
}

// Kill ends a task: mesos.v1.scheduler.Call.Kill. The answer is a status update.
type Kill struct {
	TaskID     TaskID      `wire:"1,task_id,value,required"`
	AgentID    AgentID     `wire:"2,agent_id,value"` // where it runs, if known: speeds the answer for a task that is not known
	KillPolicy *KillPolicy `wire:"3,kill_policy"`
}

// Shutdown ends an executor and its tasks: mesos.v1.scheduler.Call.Shutdown.
type Shutdown struct {
	ExecutorID ExecutorID `wire:"1,executor_id,value,required"`
	AgentID    AgentID    `wire:"2,agent_id,value,required"`
}

// Acknowledge says that a status update arrived and was dealt with:
// mesos.v1.scheduler.Call.Acknowledge. Until then it comes again.
type Acknowledge struct {
	AgentID AgentID `wire:"1,agent_id,value,required"`
	TaskID  TaskID  `wire:"2,task_id,value,required"`
	UUID    []byte  `wire:"3,uuid,required"` // the update's, 16 bytes
}

// AcknowledgeOperationStatus is the message mesos.v1.scheduler.Call.AcknowledgeOperationStatus.
type AcknowledgeOperationStatus struct {
	AgentID            AgentID            `wire:"1,agent_id,value"`
	ResourceProviderID ResourceProviderID `wire:"2,resource_provider_id,value"`
	UUID               []byte             `wire:"3,uuid,required"`
	OperationID        OperationID        `wire:"4,operation_id,value,required"`
}

// Reconcile asks for the state of the named tasks, or of all when there are none:
// mesos.v1.scheduler.Call.Reconcile. The answers are status updates without UUID.
type Reconcile struct {
	Tasks []ReconcileTask `wire:"1,tasks"`
}

// ReconcileTask is the message mesos.v1.scheduler.Call.Reconcile.Task.
type ReconcileTask struct {
	TaskID  TaskID  `wire:"1,task_id,value,required"`
	AgentID AgentID `wire:"2,agent_id,value"`
}

// ReconcileOperations is the message mesos.v1.scheduler.Call.ReconcileOperations.
type ReconcileOperations struct {
	Operations []ReconcileOperation `wire:"1,operations"`
}

// ReconcileOperation is the message mesos.v1.scheduler.Call.ReconcileOperations.Operation.
type ReconcileOperation struct {
	OperationID        OperationID        `wire:"1,operation_id,value,required"`
	AgentID            AgentID            `wire:"2,agent_id,value"`
	ResourceProviderID ResourceProviderID `wire:"3,resource_provider_id,value"`
}

// Message goes between a framework and one of its executors, without any guarantee:
// mesos.v1.scheduler.Call.Message and Event.Message.
type Message struct {
	AgentID    AgentID    `wire:"1,agent_id,value,required"`
	ExecutorID ExecutorID `wire:"2,executor_id,value,required"`
	Data       []byte     `wire:"3,data,required"`
}

// Requests is the message mesos.v1.scheduler.Call.Request.
type Requests struct {
	Requests []Request `wire:"1,requests"`
}

// Suppress asks for no more offers, for the named roles or all:
// mesos.v1.scheduler.Call.Suppress.
type Suppress struct {
	Roles []string `wire:"1,roles"`
}

// UpdateFramework is the message mesos.v1.scheduler.Call.UpdateFramework.
type UpdateFramework struct {
	FrameworkInfo    FrameworkInfo     `wire:"1,framework_info,required"`
	SuppressedRoles  []string          `wire:"2,suppressed_roles"`
	OfferConstraints *OfferConstraints `wire:"3,offer_constraints"`
}
