package master

import (
	"net/http"
	"strings"
	"time"

	"github.com/profferhq/proffer/kernel/membership"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/masters"
)

// serveMasters tells which masters there are, as far as this one knows.
func (m *Master) serveMasters(w http.ResponseWriter, req *http.Request, _ caller) {
	e, ok := acceptable(w, req)
	if !ok {
		return
	}
	answer := &sdk.Masters{Asked: m.name, Cluster: m.opts.Cluster}
	peers, err := m.consensus.Roster(req.Context())
	if err != nil && sdk.CodeOf(err) != sdk.CodeUnavailable {
		refuse(w, req, err)
		return
	}
	around := map[string]membership.Member{}
	for _, g := range m.gossip.Members() {
		if g.Role == membership.RoleMaster {
			around[g.Name] = g
		}
	}
	for _, p := range peers {
		info := sdk.MasterMember{Name: p.Name, Raft: p.Address, HTTP: around[p.Name].HTTP, Voter: p.Votes, Leader: p.Leads,
			Applied: p.Applied, Version: p.Release, Trouble: p.Trouble}
		if p.Name == m.name {
			info.HTTP = m.Addr()
		}
		answer.Masters = append(answer.Masters, info)
		delete(around, p.Name)
	}
	for _, g := range m.gossip.Members() {
		if _, outside := around[g.Name]; !outside {
			continue
		}
		info := sdk.MasterMember{Name: g.Name, Raft: g.Raft, HTTP: g.HTTP, Version: g.Release}
		if len(peers) > 0 || g.Name == m.name {
			info.Waiting, info.Trouble = true, "no part of the cluster: proffer cluster join "+g.Raft+" adds it"
		} else {
			info.Trouble = "whether it votes is not known here"
		}
		answer.Masters = append(answer.Masters, info)
	}
	message(w, req, e, answer)
}

// named are the masters as an answer names them, and when that was found out.
type named struct {
	text string
	at   time.Time
}

// nameAfter is how old that may be: gossip knows of ten thousand agents too.
const nameAfter = time.Second

// nameMasters has an answer name all masters, so that a client finds those that were added
// since it was given its list.
func (m *Master) nameMasters(w http.ResponseWriter) {
	last := m.named.Load()
	if last == nil || time.Since(last.at) > nameAfter {
		all := []string{m.Addr()}
		for _, other := range m.gossip.Members() {
			if other.Role == membership.RoleMaster && other.HTTP != "" && other.HTTP != m.Addr() {
				all = append(all, other.HTTP)
			}
		}
		last = &named{strings.Join(all, ","), time.Now()}
		m.named.Store(last)
	}
	w.Header().Set(masters.HeaderMasters, last.text)
}

// isMasterCall tells the calls that are consensus's, not the mind's.
func isMasterCall(t sdk.OperatorCallType) bool {
	return t == sdk.OperatorAddMaster || t == sdk.OperatorRemoveMaster || t == sdk.OperatorTransferLeadership
}

// serveMasterCall changes the masters of the cluster. Only the leader gets here.
func (m *Master) serveMasterCall(w http.ResponseWriter, req *http.Request, call *sdk.OperatorCall) {
	err := m.masterCall(req, call)
	if err != nil {
		refuse(w, req, err)
		return
	}
	empty(w, http.StatusOK)
}

func (m *Master) masterCall(req *http.Request, call *sdk.OperatorCall) error {
	name := func(field, value string) error {
		if strings.TrimSpace(value) == "" {
			return sdk.Errorf(sdk.CodeInvalid, field, "must not be empty")
		}
		return nil
	}
	switch {
	case call.Type == sdk.OperatorAddMaster && call.AddMaster != nil:
		if err := name("add_master.address", call.AddMaster.Address); err != nil {
			return err
		}
		return m.consensus.Invite(call.AddMaster.Address)
	case call.Type == sdk.OperatorRemoveMaster && call.RemoveMaster != nil:
		if err := name("remove_master.name", call.RemoveMaster.Name); err != nil {
			return err
		}
		return m.consensus.Remove(req.Context(), call.RemoveMaster.Name, call.RemoveMaster.Force)
	case call.Type == sdk.OperatorTransferLeadership:
		to := ""
		if call.TransferLeadership != nil {
			to = call.TransferLeadership.Name
		}
		return m.consensus.Transfer(req.Context(), to)
	}
	return sdk.Errorf(sdk.CodeInvalid, "type", "Expecting '%s' to be present", strings.ToLower(string(call.Type)))
}
