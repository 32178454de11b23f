package launch

import (
	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/sdk"
)

// healthChecks are the app's, as the executor makes them beside the task. Those with
// Marathon's own spelling only report: what follows is decided by marathonish.
func healthChecks(r Run) []sdk.HealthCheck {
	var list []sdk.HealthCheck
	for _, h := range r.App.HealthChecks {
		c := sdk.HealthCheck{
			DelaySeconds:       seconds(h.DelaySeconds),
			IntervalSeconds:    seconds(h.IntervalSeconds),
			TimeoutSeconds:     seconds(h.TimeoutSeconds),
			GracePeriodSeconds: seconds(h.GracePeriodSeconds),
			ReportOnly:         !h.AgentMade(),
		}
		if h.DelaySeconds == 0 {
			c.DelaySeconds = c.IntervalSeconds // the first regular probe; the early one comes at once
		}
		failures := uint32(max(0, h.MaxConsecutiveFailures))
		c.ConsecutiveFailures = &failures
		switch {
		case h.Protocol == app.Command:
			shell := true
			c.Type, c.Command = sdk.HealthCheckCommand, &sdk.CommandInfo{Value: h.Command, Shell: &shell}
		case h.OverHTTP():
			// Success is 200 to 399, which no Statuses mean; the executor waits for the
			// answer behind a 1xx anyway, as ignoreHttp1xx asks.
			c.Type = sdk.HealthCheckHTTP
			c.HTTP = &sdk.HTTPCheckInfo{Protocol: sdk.IPProtocol(h.IPProtocol), Scheme: "http", Port: port(r, h), Path: h.Path}
			if h.Protocol == app.HTTPS || h.Protocol == app.MesosHTTPS {
				c.HTTP.Scheme = "https"
			}
		default:
			c.Type, c.TCP = sdk.HealthCheckTCP, &sdk.TCPCheckInfo{Protocol: sdk.IPProtocol(h.IPProtocol), Port: port(r, h)}
		}
		list = append(list, c)
	}
	return list
}

func port(r Run, h app.HealthCheck) uint32 {
	switch {
	case h.Port != nil:
		return uint32(*h.Port)
	case h.PortIndex != nil && *h.PortIndex < len(r.Ports):
		return uint32(r.Ports[*h.PortIndex])
	case len(r.Ports) > 0:
		return uint32(r.Ports[0])
	}
	return 0
}

func seconds(n int) *float64 {
	f := float64(n)
	return &f
}
