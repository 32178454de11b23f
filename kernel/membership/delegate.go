package membership

import "github.com/hashicorp/memberlist"

// delegate is what memberlist asks and tells. It may not block.
type delegate struct{ g *Gossip }

func (d delegate) NodeMeta(int) []byte                        { return d.g.meta }
func (d delegate) NotifyMsg([]byte)                           {}
func (d delegate) GetBroadcasts(overhead, limit int) [][]byte { return nil }
func (d delegate) LocalState(join bool) []byte                { return nil }
func (d delegate) MergeRemoteState(buf []byte, join bool)     {}

func (d delegate) NotifyJoin(n *memberlist.Node)   { d.g.tell(Joined, n) }
func (d delegate) NotifyLeave(n *memberlist.Node)  { d.g.tell(Left, n) }
func (d delegate) NotifyUpdate(n *memberlist.Node) { d.g.tell(Updated, n) }

func (g *Gossip) tell(kind Kind, n *memberlist.Node) {
	m, ok := memberOf(n)
	if !ok && kind != Left {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if kind == Left {
		delete(g.around, n.Name)
	} else {
		g.around[n.Name] = m
	}
	if !ok || m.Name == g.opts.Name {
		return
	}
	g.remember(kind, m)
	g.opts.Log.Info("member "+string(kind), "name", m.Name, "role", m.Role, "gossip", m.Gossip, "http", m.HTTP)
	for {
		select {
		case g.events <- Event{Kind: kind, Member: m}:
			return
		default:
		}
		select {
		case <-g.events:
		default:
		}
	}
}
