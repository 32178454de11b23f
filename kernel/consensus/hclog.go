package consensus

import (
	"context"
	"io"
	"log"
	"log/slog"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
)

// bridge is raft's logger over slog. Its errors are warnings here, because raft
// goes on after each; the rest is detail of a library (an election at every
// start is no news).
//
// A message that comes again within repeatAfter is detail too: raft says ten
// times a second that a peer is away.
type bridge struct {
	log  *slog.Logger
	name string
	args []any
	said *sync.Map // message -> time it was last told
}

const repeatAfter = 10 * time.Second

func newBridge(log *slog.Logger, name string) *bridge {
	return &bridge{log: log, name: name, said: &sync.Map{}}
}

func (b *bridge) Log(level hclog.Level, msg string, args ...any) {
	l := slog.LevelDebug
	if level >= hclog.Error {
		l = slog.LevelWarn
	}
	if l > slog.LevelDebug {
		now := time.Now()
		if last, again := b.said.Load(msg); again && now.Sub(last.(time.Time)) < repeatAfter {
			l = slog.LevelDebug
		} else {
			b.said.Store(msg, now)
		}
	}
	b.log.Log(context.Background(), l, msg, args...)
}

func (b *bridge) Trace(msg string, args ...any) {}
func (b *bridge) Debug(msg string, args ...any) { b.Log(hclog.Debug, msg, args...) }
func (b *bridge) Info(msg string, args ...any)  { b.Log(hclog.Info, msg, args...) }
func (b *bridge) Warn(msg string, args ...any)  { b.Log(hclog.Warn, msg, args...) }
func (b *bridge) Error(msg string, args ...any) { b.Log(hclog.Error, msg, args...) }

func (b *bridge) enabled(l slog.Level) bool { return b.log.Enabled(context.Background(), l) }

func (b *bridge) IsTrace() bool { return false }
func (b *bridge) IsDebug() bool { return b.enabled(slog.LevelDebug) }
func (b *bridge) IsInfo() bool  { return b.enabled(slog.LevelDebug) }
func (b *bridge) IsWarn() bool  { return b.enabled(slog.LevelDebug) }
func (b *bridge) IsError() bool { return b.enabled(slog.LevelWarn) }

func (b *bridge) ImpliedArgs() []any { return b.args }
func (b *bridge) With(args ...any) hclog.Logger {
	return &bridge{log: b.log.With(args...), name: b.name, said: b.said, args: append(b.args[:len(b.args):len(b.args)], args...)}
}
func (b *bridge) Name() string { return b.name }
func (b *bridge) Named(name string) hclog.Logger {
	return &bridge{log: b.log, name: name, args: b.args, said: b.said}
}
func (b *bridge) ResetNamed(name string) hclog.Logger { return b.Named(name) }
func (b *bridge) SetLevel(hclog.Level)                {}
func (b *bridge) GetLevel() hclog.Level               { return hclog.Debug }

func (b *bridge) StandardLogger(*hclog.StandardLoggerOptions) *log.Logger {
	return slog.NewLogLogger(b.log.Handler(), slog.LevelDebug)
}
func (b *bridge) StandardWriter(*hclog.StandardLoggerOptions) io.Writer { return io.Discard }
