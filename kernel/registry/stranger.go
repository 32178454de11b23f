package registry

import "strings"

// clusterIDLength is that of the ids that masters give to new clusters, which are
// hexadecimal.
const clusterIDLength = 12

// Stranger tells whether an agent's or framework's id was made by another cluster.
// Whether that one is gone, or its snapshot is still to be restored here, it does not tell.
func (s *State) Stranger(id string) bool {
	if len(id) <= clusterIDLength || id[clusterIDLength] != '-' || s.clusterID == "" {
		return false
	}
	made := id[:clusterIDLength]
	return made != s.clusterID && strings.Trim(made, "0123456789abcdef") == ""
}

// Unused tells that nobody has used this cluster yet: it is no restored one, and no
// framework but init was ever here.
func (s *State) Unused() bool {
	if s.generation > 1 || s.nextFramework > 0 || len(s.removed) > 0 {
		return false
	}
	for _, f := range s.frameworks.values() {
		if f.Info.ID != s.InitFramework() {
			return false
		}
	}
	return true
}
