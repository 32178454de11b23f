package main

// profileHelp is what the key says of itself.
const profileHelp = "default, or fast: for a quiet network that loses nothing, another leader and another machine's loss in a fraction of the time; keys that are set win over it"

// masterProfiles are the masters' profiles. In fast a new leader is there after 0.4 s,
// and an agent unreachable after 1.5 s.
func masterProfiles() map[string]map[string]string {
	return map[string]map[string]string{
		"default": {},
		"fast": {
			"raft-timeout": "150ms", "agent-timeout": "1500ms", "recovery-timeout": "10s", "offer-wait": "2s", "gossip-probe": "300ms",
		},
	}
}

// agentProfiles are the agents' profiles, to go with those of their masters.
func agentProfiles() map[string]map[string]string {
	return map[string]map[string]string{
		"default": {},
		"fast":    {"link-timeout": "2s", "link-pause": "500ms", "gossip-probe": "300ms"},
	}
}
