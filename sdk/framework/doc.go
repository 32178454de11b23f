// Package framework is for authors of frameworks: it subscribes to the leading
// master, hands every event to one handler, and sends calls.
//
//	f, err := framework.New(framework.FromEnv("wordcount"))
//	…
//	err = f.Run(ctx, framework.Handlers{
//		Offers: func(ctx context.Context, offers []sdk.Offer) error { … f.Launch(offers[0], task) … },
//		Update: func(ctx context.Context, status sdk.TaskStatus) error { … },
//	}.Handle)
//
// What it does by itself: it tries all masters and follows the leader; when the
// stream ends, stays silent for five heartbeats, or another master says that a third
// one leads now (it is asked once a second), it subscribes again under the same
// framework id; after each SUBSCRIBED it reconciles, all tasks and by name
// those whose launch nothing has confirmed; it acknowledges an update after the
// handler returned nil, so a handler stores what it must not lose before it
// returns; it sends calls that were made meanwhile in one request.
//
// So a leader that is stopped or cut off is left two seconds after another one leads, and
// its queued calls with it; a SUBSCRIBE that it does not answer is given up after three
// (masters.Client.Do). Do and UpdateInfo wait for as long as their context lasts, and end
// with the subscription that they were sent in.
//
// What it never does: store anything (keep FrameworkInfo.ID and your launch
// records yourself, and give the id back in Options.Info), answer an offer, or
// repeat an ACCEPT.
//
// Concurrency: the handler is called by one goroutine, one event after the other,
// and never after Run has returned. All methods may be called from anywhere, the
// handler included; none of them waits for the network unless it takes a context.
package framework
