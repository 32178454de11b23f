package graph

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Node is a job as the exports show it.
type Node struct {
	Name    string
	Status  string // success, failure or fresh: the last outcome
	State   string // idle, queued or "2 running"
	Parents []string
}

// CSV is the export that tools read as the state of all jobs: a line for each job,
// node,name,status,state, and then one for each edge, link,parent,child. Names and
// words have no commas.
func CSV(nodes []Node) string {
	nodes = sorted(nodes)
	var b strings.Builder
	for _, n := range nodes {
		fmt.Fprintf(&b, "node,%s,%s,%s\n", n.Name, n.Status, n.State)
	}
	for _, n := range nodes {
		for _, p := range n.Parents {
			fmt.Fprintf(&b, "link,%s,%s\n", p, n.Name)
		}
	}
	return b.String()
}

// DOT is the graph in the language of Graphviz. Nodes are numbers, their labels are
// the names, which have no quotes.
func DOT(nodes []Node) string {
	nodes = sorted(nodes)
	ids := map[string]int{}
	var b strings.Builder
	b.WriteString("digraph G {\n")
	for i, n := range nodes {
		ids[n.Name] = i + 1
		fmt.Fprintf(&b, "  %d [ label=\"%s\" ];\n", i+1, n.Name)
	}
	for _, n := range nodes {
		for _, p := range n.Parents {
			if id, ok := ids[p]; ok {
				fmt.Fprintf(&b, "  %d -> %d;\n", id, ids[n.Name])
			}
		}
	}
	b.WriteString("}\n")
	return b.String()
}

func sorted(nodes []Node) []Node {
	nodes = slices.Clone(nodes)
	slices.SortFunc(nodes, func(a, b Node) int { return cmp.Compare(a.Name, b.Name) })
	return nodes
}
