package membership

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/sdk"
)

// lockedBuffer is a log that several goroutines write.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func testKey() credential.Key {
	var k credential.Key
	copy(k[:], "a key for tests, 32 bytes long..")
	return k
}

type member struct {
	*Gossip
	log  *lockedBuffer
	stop func()
}

func join(t *testing.T, name string, change func(*Options), seeds ...string) *member {
	t.Helper()
	log := &lockedBuffer{}
	o := Options{Name: name, Cluster: "test", Bind: "127.0.0.1", Key: testKey(), Seeds: seeds, Rejoin: 20 * time.Millisecond,
		Meta: Meta{Role: RoleMaster, HTTP: "127.0.0.1:5050", Raft: "127.0.0.1:5052", Release: "1"}, Log: slog.New(slog.NewTextHandler(log, nil))}
	if change != nil {
		change(&o)
	}
	g, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan error, 1)
	go func() { over <- g.Run(ctx) }()
	m := &member{Gossip: g, log: log}
	once := sync.Once{}
	m.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-over; err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	t.Cleanup(m.stop)
	return m
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(15 * time.Second); !done(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func names(g *Gossip) string {
	var all []string
	for _, m := range g.Members() {
		all = append(all, m.Name+"/"+string(m.Role))
	}
	return strings.Join(all, " ")
}

func TestMembersFindEachOtherAndTellWhatTheyAre(t *testing.T) {
	m1 := join(t, "m1", nil)
	a1 := join(t, "a1", func(o *Options) { o.Meta = Meta{Role: RoleAgent, HTTP: "127.0.0.2:5051", Release: "2"} }, m1.Addr())
	await(t, "both", func() bool {
		return names(m1.Gossip) == "a1/agent m1/master" && names(a1.Gossip) == "a1/agent m1/master"
	})
	ev := <-m1.Events()
	if ev.Kind != Joined || ev.Member.Name != "a1" || ev.Member.HTTP != "127.0.0.2:5051" || ev.Member.Release != "2" {
		t.Errorf("event %+v", ev)
	}
	a1.stop()
	await(t, "the leave", func() bool { return names(m1.Gossip) == "m1/master" })
	if ev := <-m1.Events(); ev.Kind != Left || ev.Member.Name != "a1" {
		t.Errorf("event %+v", ev)
	}
}

// Who has to know who is there joins the seeds that answer, and does not wait for others.
func TestSeedsAreMetWithinABound(t *testing.T) {
	m1 := join(t, "m1", nil)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, seeds := range [][]string{{"127.0.0.1:1", m1.Addr()}, {silent.Addr().String(), m1.Addr()}} {
		g, err := New(Options{Name: "m2", Cluster: "test", Bind: "127.0.0.1", Key: testKey(), Seeds: seeds, Meta: Meta{Role: RoleMaster}, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		found := g.Meet(ctx)
		if len(found) != 2 || found[0].Name != "m1" || found[0].Raft != "127.0.0.1:5052" {
			t.Errorf("%v: found %+v", seeds, found)
		}
		if late := ctx.Err() != nil; late != (seeds[0] == silent.Addr().String()) {
			t.Errorf("%v: until the end of its time: %v", seeds, late)
		}
		cancel()
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Who was around and is no more is remembered, until somebody is at the same address again:
// under another name, too. Who never was around has not left.
func TestWhoHasLeftIsRemembered(t *testing.T) {
	agent := func(o *Options) { o.Meta = Meta{Role: RoleAgent, HTTP: "127.0.0.2:5051"} }
	m1 := join(t, "m1", nil)
	departed := func() (all []string) {
		for _, m := range m1.Departed() {
			all = append(all, m.Name+" "+m.HTTP)
		}
		return all
	}
	a1 := join(t, "a1", agent, m1.Addr())
	await(t, "both", func() bool { return len(m1.Members()) == 2 })
	if all := departed(); len(all) != 0 {
		t.Errorf("%v have left", all)
	}
	a1.stop()
	await(t, "the leave", func() bool { return len(m1.Members()) == 1 })
	if all := departed(); len(all) != 1 || all[0] != "a1 127.0.0.2:5051" {
		t.Errorf("%v have left", all)
	}
	a2 := join(t, "a2", agent, m1.Addr())
	await(t, "the next", func() bool { return len(m1.Members()) == 2 })
	if all := departed(); len(all) != 0 {
		t.Errorf("%v have left", all)
	}
	join(t, "a3", agent, m1.Addr())
	await(t, "one in its place", func() bool { return len(m1.Members()) == 3 })
	a2.stop()
	await(t, "the leave", func() bool { return len(m1.Members()) == 2 })
	if all := departed(); len(all) != 0 {
		t.Errorf("%v have left", all)
	}
}

// What is remembered has a bound.
func TestNotAllThatHaveLeftAreRemembered(t *testing.T) {
	g := &Gossip{around: map[string]Member{}, left: map[string]Member{}}
	for i := range maxLeft + 10 {
		g.remember(Left, Member{Meta: Meta{Role: RoleAgent, HTTP: fmt.Sprintf("a%d:5051", i)}})
	}
	if n := len(g.Departed()); n != maxLeft {
		t.Errorf("%d are remembered", n)
	}
}

// A member whose seed starts later, or starts anew, joins it all the same: seeds
// are tried for ever.
func TestSeedsAreJoinedForEver(t *testing.T) {
	m1 := join(t, "m1", nil)
	seed := m1.Addr()
	var port int
	if _, err := fmt.Sscanf(seed, "127.0.0.1:%d", &port); err != nil {
		t.Fatal(err)
	}
	a1 := join(t, "a1", func(o *Options) { o.Meta.Role = RoleAgent }, seed)
	await(t, "both", func() bool { return len(a1.Members()) == 2 })
	m1.stop()
	await(t, "the leave", func() bool { return len(a1.Members()) == 1 })
	back := join(t, "m1", func(o *Options) { o.Port = port })
	await(t, "both again", func() bool { return len(a1.Members()) == 2 && len(back.Members()) == 2 })
}

// A gossip member without the key, with another one, or of another cluster is not
// let in, and both sides are told in a sentence.
func TestStrangersAreRefusedInASentence(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Options)
		told   string // to the stranger
		logged string // by the member
	}{
		"no key":          {func(o *Options) { o.Key, o.Insecure = credential.Key{}, true }, "the cluster has a key and this member was started without it", "it does not have this cluster's key"},
		"another key":     {func(o *Options) { o.Key = credential.NewKey() }, "this member's key is not the cluster's", "it has another one"},
		"another cluster": {func(o *Options) { o.Cluster = "other" }, `its cluster is not called "other"`, "it belongs to another cluster"},
	} {
		t.Run(name, func(t *testing.T) {
			m1 := join(t, "m1", nil)
			stranger := join(t, "stranger", c.change, m1.Addr())
			await(t, "the sentence to the stranger", func() bool { return strings.Contains(stranger.log.String(), strings.ReplaceAll(c.told, `"`, `\"`)) })
			await(t, "the member's log", func() bool { return strings.Contains(m1.log.String(), c.logged) })
			if len(m1.Members()) != 1 || len(stranger.Members()) != 1 {
				t.Errorf("%s got in: %s; %s", name, names(m1.Gossip), names(stranger.Gossip))
			}
			if n := strings.Count(m1.log.String(), "gossip member refused"); n > 2 {
				t.Errorf("told %d times", n)
			}
		})
	}
}

func TestOptionsAreChecked(t *testing.T) {
	_, err := New(Options{Port: -1})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"a name", "the cluster needs", "key", "port", "role"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
	_, err = encodeMeta(Meta{Role: RoleAgent, HTTP: strings.Repeat("x", 600)})
	if sdk.CodeOf(err) != sdk.CodeTooLarge || !strings.Contains(err.Error(), "at most 512") {
		t.Errorf("%v", err)
	}
}
