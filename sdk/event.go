package sdk

// Event is what the master says to a framework, on the stream that answers SUBSCRIBE:
// mesos.v1.scheduler.Event. Type says which one of the bodies counts.
type Event struct {
	Type                  EventType              `wire:"1,type"`
	Subscribed            *Subscribed            `wire:"2,subscribed"`
	Offers                *Offers                `wire:"3,offers"`
	InverseOffers         *InverseOffers         `wire:"9,inverse_offers"`
	Rescind               *Rescind               `wire:"4,rescind"`
	RescindInverseOffer   *RescindInverseOffer   `wire:"10,rescind_inverse_offer"`
	Update                *Update                `wire:"5,update"`
	UpdateOperationStatus *UpdateOperationStatus `wire:"11,update_operation_status"`
	Message               *Message               `wire:"6,message"`
	Failure               *Failure               `wire:"7,failure"`
	Error                 *ErrorEvent            `wire:"8,error"`
}

// EventType is Mesos's Event.Type enumeration; the empty value means absent.
type EventType string

// The values of EventType, by their names on the wire.
const (
	EventUnknown               EventType = "UNKNOWN"
	EventSubscribed            EventType = "SUBSCRIBED"
	EventOffers                EventType = "OFFERS"
	EventInverseOffers         EventType = "INVERSE_OFFERS"
	EventRescind               EventType = "RESCIND"
	EventRescindInverseOffer   EventType = "RESCIND_INVERSE_OFFER"
	EventUpdate                EventType = "UPDATE"
	EventUpdateOperationStatus EventType = "UPDATE_OPERATION_STATUS"
	EventMessage               EventType = "MESSAGE"
	EventFailure               EventType = "FAILURE"
	EventError                 EventType = "ERROR"
	EventHeartbeat             EventType = "HEARTBEAT"
)

// Enum lists the names of EventType with their protobuf numbers.
func (EventType) Enum() []EnumValue {
	return []EnumValue{
		{"UNKNOWN", 0},
		{"SUBSCRIBED", 1},
		{"OFFERS", 2},
		{"INVERSE_OFFERS", 9},
		{"RESCIND", 3},
		{"RESCIND_INVERSE_OFFER", 10},
		{"UPDATE", 4},
		{"UPDATE_OPERATION_STATUS", 11},
		{"MESSAGE", 5},
		{"FAILURE", 6},
		{"ERROR", 7},
		{"HEARTBEAT", 8},
	}
}

// Subscribed is the first event of a stream: mesos.v1.scheduler.Event.Subscribed.
type Subscribed struct {
	FrameworkID              FrameworkID `wire:"1,framework_id,value,required"`
	HeartbeatIntervalSeconds float64     `wire:"2,heartbeat_interval_seconds"` // silence of several of them means that the stream is dead
	MasterInfo               *MasterInfo `wire:"3,master_info"`
}

// Offers brings offers: mesos.v1.scheduler.Event.Offers.
type Offers struct {
	Offers []Offer `wire:"1,offers"`
}

// InverseOffers is the message mesos.v1.scheduler.Event.InverseOffers.
type InverseOffers struct {
	InverseOffers []InverseOffer `wire:"1,inverse_offers"`
}

// Rescind takes an offer back: mesos.v1.scheduler.Event.Rescind. An ACCEPT of it that is
// under way will fail.
type Rescind struct {
	OfferID OfferID `wire:"1,offer_id,value,required"`
}

// RescindInverseOffer is the message mesos.v1.scheduler.Event.RescindInverseOffer.
type RescindInverseOffer struct {
	InverseOfferID OfferID `wire:"1,inverse_offer_id,value,required"`
}

// Update brings a status update: mesos.v1.scheduler.Event.Update. When it has a UUID the
// framework acknowledges it.
type Update struct {
	Status TaskStatus `wire:"1,status,required"`
}

// UpdateOperationStatus is the message mesos.v1.scheduler.Event.UpdateOperationStatus.
type UpdateOperationStatus struct {
	Status OperationStatus `wire:"1,status,required"`
}

// Failure says that an executor ended (both ids, and the status) or an agent left (its
// id alone): mesos.v1.scheduler.Event.Failure.
type Failure struct {
	AgentID    AgentID    `wire:"1,agent_id,value"`
	ExecutorID ExecutorID `wire:"2,executor_id,value"`
	Status     *int32     `wire:"3,status"` // wait status of the executor; -1 when it was never started
}

// ErrorEvent ends a stream for good: mesos.v1.scheduler.Event.Error.
type ErrorEvent struct {
	Message string `wire:"1,message,required"`
}
