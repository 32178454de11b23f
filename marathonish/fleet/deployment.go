package fleet

import (
	"time"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/sdk"
)

// The actions of deployments.
const (
	StartApplication   = "StartApplication" // a marker; the launches are ScaleApplication's
	ScaleApplication   = "ScaleApplication"
	RestartApplication = "RestartApplication"
	StopApplication    = "StopApplication"
)

// Action is what a deployment does with one app.
type Action struct {
	Action string
	App    app.ID
}

// Deployment is a change on its way, as readers see it.
type Deployment struct {
	ID      string
	Version app.Version
	Apps    []app.ID
	Steps   [][]Action
	Current []Action // of Step
	Step    int      // from 1
	Total   int
	Since   time.Time
	Waits   map[app.ID]string // for what, for people
}

// Reason is one row of the funnel: of the Processed offers that had passed the rows
// before, so many were Declined for it.
type Reason struct {
	Reason    string
	Declined  int
	Processed int
}

// OfferCounts tells of the offers since an app began to wait.
type OfferCounts struct {
	Processed  int
	Unused     int
	LastUnused time.Time // zero: none
	LastUsed   time.Time
}

// UnusedOffer is an offer that an app could not use.
type UnusedOffer struct {
	Offer   sdk.Offer
	Reasons []string
	At      time.Time
}

// Waiting is an app with launches that are due or delayed.
type Waiting struct {
	App       *app.App
	Count     int
	Since     time.Time
	DelayLeft time.Duration // of the backoff
	Overdue   bool          // the delay is over, and it waits for an offer
	Offers    OfferCounts
	Reasons   []Reason      // the funnel over the last offer of each agent, all rows in Marathon's order
	Attempt   []Reason      // the funnel over all offers since Since
	Unused    []UnusedOffer // some of the last, newest first
	Why       string        // one sentence for people
}
