package placement

import (
	"fmt"
	"strings"
)

// Reason is why an offer was of no use, by Marathon's name; empty when it fits.
type Reason string

// The reasons, in the order in which they are looked at.
const (
	Fits                            Reason = ""
	UnfulfilledRole                 Reason = "UnfulfilledRole"
	UnfulfilledConstraint           Reason = "UnfulfilledConstraint"
	NoCorrespondingReservationFound Reason = "NoCorrespondingReservationFound"
	AgentMaintenance                Reason = "AgentMaintenance"
	InsufficientCpus                Reason = "InsufficientCpus"
	InsufficientMemory              Reason = "InsufficientMemory"
	InsufficientDisk                Reason = "InsufficientDisk"
	InsufficientGpus                Reason = "InsufficientGpus"
	InsufficientPorts               Reason = "InsufficientPorts"
	DeclinedScarceResources         Reason = "DeclinedScarceResources"
)

// Reasons are all rows of the funnel, in Marathon's order.
func Reasons() []Reason {
	return []Reason{
		UnfulfilledRole, UnfulfilledConstraint, NoCorrespondingReservationFound, AgentMaintenance, InsufficientCpus,
		InsufficientMemory, InsufficientDisk, InsufficientGpus, InsufficientPorts, DeclinedScarceResources,
	}
}

// Row is one row of the funnel: of the offers that passed the rows before
// (Processed), so many were Declined for this reason.
type Row struct {
	Reason              Reason
	Declined, Processed int
}

// Funnel arranges counts of offers by what became of them; those that fit are under
// Fits.
func Funnel(counts map[Reason]int) []Row {
	left := 0
	for _, n := range counts {
		left += n
	}
	rows := make([]Row, 0, len(Reasons()))
	for _, r := range Reasons() {
		rows = append(rows, Row{Reason: r, Declined: counts[r], Processed: left})
		left -= counts[r]
	}
	return rows
}

// Why says in one sentence why so many instances wait, from the funnel over the last
// offers.
func Why(rows []Row) string {
	if len(rows) == 0 || rows[0].Processed == 0 {
		return "no agent has offered anything since it began to wait"
	}
	var parts []string
	for _, r := range rows {
		if r.Declined == 0 {
			continue
		}
		parts = append(parts, fmt.Sprintf("%s %s", agents(r.Declined), phrase(r.Reason)))
	}
	if len(parts) == 0 {
		return "the offers so far were used, more are awaited"
	}
	return fmt.Sprintf("of %s that offered, %s", agents(rows[0].Processed), strings.Join(parts, ", "))
}

func agents(n int) string {
	if n == 1 {
		return "1 agent"
	}
	return fmt.Sprintf("%d agents", n)
}

func phrase(r Reason) string {
	switch r {
	case UnfulfilledRole:
		return "offered for another role"
	case UnfulfilledConstraint:
		return "did not meet the constraints"
	case InsufficientCpus:
		return "had too few cpus"
	case InsufficientMemory:
		return "had too little memory"
	case InsufficientDisk:
		return "had too little disk"
	case InsufficientPorts:
		return "did not have the ports"
	}
	return "refused by " + string(r)
}
