package allocator

import (
	"cmp"
	"slices"
	"strings"
)

// node is a place in the tree of shares: the root, a role, the own frameworks
// of a role together (they compete with its subroles as one), or a framework in
// a role.
type node struct {
	name   string // unique among siblings; breaks the last ties
	parent *node
	depth  int
	client *client // of a leaf
	own    *node   // of a role: its own frameworks
	kids   int     // siblings below, active or not

	first  bool     // served before siblings whatever the shares: the role `system`
	weight float64  // of a role
	held   vector   // offered and used below
	space  [4]int64 // of held, mostly
	share  float64  // dominant share by weight; current when the tree is not stale
	served uint64   // serial of the last offer made below: among equals who waited longest goes first

	live   int     // active leaves below
	active []*node // kids with live > 0, in serving order unless the tree is stale
}

// compare is the order in which siblings are served.
func (n *node) compare(o *node) int {
	if n.first != o.first {
		if n.first {
			return -1
		}
		return 1
	}
	if c := cmp.Compare(n.share, o.share); c != 0 {
		return c
	}
	if c := cmp.Compare(n.served, o.served); c != 0 {
		return c
	}
	return strings.Compare(n.name, o.name)
}

// position is where n stands, or would stand, in its parent's order.
func (n *node) position() (int, bool) {
	return slices.BinarySearchFunc(n.parent.active, n, (*node).compare)
}

func newNode(parent *node, name string) *node {
	n := &node{name: name, parent: parent, weight: 1}
	n.held = n.space[:0]
	if parent != nil {
		n.depth = parent.depth + 1
		parent.kids++
	}
	return n
}

// role is the node of a role, made with its ancestors when it is new.
func (a *Allocator) role(path string) *node {
	if n, ok := a.roles[path]; ok {
		return n
	}
	parent, name := a.root, path
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		parent, name = a.role(path[:i]), path[i+1:]
	}
	n := newNode(parent, name)
	n.weight = a.weight(path)
	n.first = path == SystemRole
	a.roles[path] = n
	return n
}

// prune takes a leaf that holds nothing out of the tree, with the roles that
// only it kept there.
func (a *Allocator) prune(c *client) {
	leaf := c.node
	own := leaf.parent
	own.kids--
	if own.kids > 0 {
		return
	}
	n := own.parent
	n.own = nil
	n.kids--
	for path := c.role; n != a.root && n.kids == 0; n = n.parent {
		delete(a.roles, path)
		path = path[:max(0, strings.LastIndexByte(path, '/'))]
		n.parent.kids--
	}
}

// shareOf is a node's dominant share of the cluster by its weight.
func (a *Allocator) shareOf(n *node) float64 {
	share := 0.0
	for i, q := range n.held {
		if total := a.total.at(i); q > 0 && total > 0 && !a.unshared[i] {
			share = max(share, float64(q)/float64(total))
		}
	}
	return share / n.weight
}

// hold adds v, which may be negative, to what a client holds, all the way up,
// and keeps the order. A client that is served goes behind its equals.
func (a *Allocator) hold(c *client, v vector, served bool) {
	if served {
		a.serial++
	}
	for n := c.node; n.parent != nil; n = n.parent {
		listed := n.live > 0 && !a.stale
		from := 0
		if listed {
			from, _ = n.position()
		}
		n.held = n.held.plus(v)
		if served {
			n.served = a.serial
		}
		if a.stale {
			continue
		}
		n.share = a.shareOf(n)
		if listed {
			n.moveFrom(from)
		}
	}
}

// moveFrom brings n, which stood at index from, to its place after its key changed.
func (n *node) moveFrom(from int) {
	list := n.parent.active
	if to, _ := slices.BinarySearchFunc(list[from+1:], n, (*node).compare); to > 0 {
		copy(list[from:], list[from+1:from+1+to])
		list[from+to] = n
		return
	}
	to, _ := slices.BinarySearchFunc(list[:from], n, (*node).compare)
	copy(list[to+1:], list[to:from])
	list[to] = n
}

// setLive makes a leaf take part in sharing, or not.
func (a *Allocator) setLive(leaf *node, live bool) {
	if live == (leaf.live > 0) {
		return
	}
	for n := leaf; n != nil; n = n.parent {
		if live {
			n.live++
		} else {
			n.live--
		}
		switch {
		case n.parent == nil:
		case live && n.live == 1:
			n.share = a.shareOf(n)
			i, _ := n.position()
			n.parent.active = slices.Insert(n.parent.active, i, n)
		case !live && n.live == 0:
			i := slices.Index(n.parent.active, n)
			n.parent.active = slices.Delete(n.parent.active, i, i+1)
		}
	}
}

// refresh recomputes every share and order after the cluster's total, a weight
// or the list of names changed.
func (a *Allocator) refresh(n *node) {
	for _, kid := range n.active {
		kid.share = a.shareOf(kid)
		a.refresh(kid)
	}
	slices.SortFunc(n.active, (*node).compare)
}

// compareLeaves is the order in which two clients anywhere in the tree are served.
func compareLeaves(x, y *client) int {
	n, o := x.node, y.node
	if n == o {
		return 0
	}
	for n.depth > o.depth {
		n = n.parent
	}
	for o.depth > n.depth {
		o = o.parent
	}
	for n.parent != o.parent {
		n, o = n.parent, o.parent
	}
	return n.compare(o)
}
