package api

import (
	"net/http"
	"strings"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/sdk/scheduler/rest"
)

// apiLevel is the version of Marathon whose API this is; clients compare it.
const apiLevel = "1.10.0"

// infoDocument has the keys of Marathon's answer; marathon-python refuses any other, so
// that our own version stands in buildref.
type infoDocument struct {
	Name            string         `json:"name"`
	Version         string         `json:"version"`
	BuildRef        string         `json:"buildref"`
	Elected         bool           `json:"elected"`
	Leader          *string        `json:"leader"`
	FrameworkID     *string        `json:"frameworkId"`
	MarathonConfig  marathonConfig `json:"marathon_config"`
	ZooKeeperConfig struct{}       `json:"zookeeper_config"`
	HTTPConfig      httpConfig     `json:"http_config"`
}

type marathonConfig struct {
	Checkpoint      bool   `json:"checkpoint"`
	FailoverTimeout int    `json:"failover_timeout"` // seconds
	FrameworkName   string `json:"framework_name"`
	HA              bool   `json:"ha"`
	Hostname        string `json:"hostname"`
	LocalPortMin    int    `json:"local_port_min"`
	LocalPortMax    int    `json:"local_port_max"`
	Master          string `json:"master"`
	MesosRole       string `json:"mesos_role"`
	MesosUser       string `json:"mesos_user,omitempty"`
}

type httpConfig struct {
	HTTPPort  int `json:"http_port"`
	HTTPSPort int `json:"https_port"`
}

func (s *server) showInfo(*call) (rest.Answer, error) {
	i := s.backend.Info()
	d := infoDocument{
		Name: "marathon", Version: apiLevel, BuildRef: "proffer " + i.Software, Elected: i.Elected, HTTPConfig: httpConfig{HTTPPort: i.Port},
		MarathonConfig: marathonConfig{
			Checkpoint: true, FailoverTimeout: 7 * 24 * 3600, FrameworkName: "marathon", HA: true, Hostname: i.Hostname,
			LocalPortMin: app.FirstServicePort, LocalPortMax: app.LastServicePort, Master: i.Master, MesosRole: i.Role, MesosUser: i.User,
		},
	}
	if i.Leader != "" {
		d.Leader = &i.Leader
	}
	if i.FrameworkID != "" {
		d.FrameworkID = &i.FrameworkID
	}
	return rest.JSON(d)
}

func (s *server) showLeader(*call) (rest.Answer, error) {
	l := s.backend.Info().Leader
	if l == "" {
		return rest.Answer{}, app.Refusef(http.StatusNotFound, "There is no leader")
	}
	return rest.JSON(struct {
		Leader string `json:"leader"`
	}{l})
}

func (s *server) listPlugins(*call) (rest.Answer, error) {
	return rest.JSON(struct {
		Plugins []struct{} `json:"plugins"`
	}{[]struct{}{}})
}

func (s *server) listSubscriptions(*call) (rest.Answer, error) {
	return rest.JSON(struct {
		URLs []string `json:"callbackUrls"`
	}{[]string{}})
}

// ping answers in the form that is asked for: text, JSON, or 406.
func (s *server) ping(c *call) (rest.Answer, error) {
	accept := strings.Join(c.R.Header.Values("Accept"), ",")
	switch {
	case accept == "" || strings.Contains(accept, "*/*") || strings.Contains(accept, "text/"):
		return rest.Answer{Text: "pong\n"}, nil
	case strings.Contains(accept, "application/json"), strings.Contains(accept, "application/*"):
		return rest.JSON("pong")
	}
	return rest.Answer{Status: http.StatusNotAcceptable}, nil
}
