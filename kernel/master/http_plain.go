package master

import (
	"encoding/json"
	"net/http"
	"time"
)

// mesosVersion is the version of Mesos whose API this master speaks; clients
// compare it.
const mesosVersion = "1.12.0"

func (m *Master) serveHealth(w http.ResponseWriter, _ *http.Request, _ caller) {
	empty(w, http.StatusOK)
}

func (m *Master) serveVersion(w http.ResponseWriter, req *http.Request, _ caller) {
	body, err := json.Marshal(struct {
		Version string `json:"version"`
		Proffer string `json:"proffer_version"`
	}{mesosVersion, m.opts.Version})
	if err != nil {
		refuse(w, req, err)
		return
	}
	write(w, http.StatusOK, "application/json", body)
}

// serveRedirect names the leader, also when this master is it. It waits for none: who asks
// wants to know whether there is one.
func (m *Master) serveRedirect(w http.ResponseWriter, req *http.Request, _ caller) {
	leader, why := m.leaderHTTP()
	if leader == "" {
		w.Header().Set("Retry-After", "1")
		plain(w, http.StatusServiceUnavailable, why)
		return
	}
	w.Header().Set("Location", "//"+leader)
	empty(w, http.StatusTemporaryRedirect)
}

func (m *Master) serveMetrics(w http.ResponseWriter, req *http.Request, _ caller) {
	m.metrics.handler.ServeHTTP(w, req)
}

// twin is the path and query of a request under the prefix that Mesos puts into
// its redirects.
func twin(req *http.Request) string {
	path := req.URL.EscapedPath()
	if len(path) < len("/master/") || path[:len("/master/")] != "/master/" {
		path = "/master" + path
	}
	if req.URL.RawQuery != "" {
		path += "?" + req.URL.RawQuery
	}
	return path
}

func unixSeconds(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }
