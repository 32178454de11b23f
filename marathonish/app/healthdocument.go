package app

// healthDocument is a health check as JSON writes it: the fields that its protocol
// has, each with its value even where that is the default.
type healthDocument struct {
	Protocol               Protocol         `json:"protocol"`
	Path                   string           `json:"path,omitempty"`
	PortIndex              *int             `json:"portIndex,omitempty"`
	Port                   *int             `json:"port,omitempty"`
	Command                *commandDocument `json:"command,omitempty"`
	GracePeriodSeconds     int              `json:"gracePeriodSeconds"`
	IntervalSeconds        int              `json:"intervalSeconds"`
	TimeoutSeconds         int              `json:"timeoutSeconds"`
	DelaySeconds           int              `json:"delaySeconds"`
	MaxConsecutiveFailures int              `json:"maxConsecutiveFailures"`
	IgnoreHTTP1xx          *bool            `json:"ignoreHttp1xx,omitempty"`
	IPProtocol             string           `json:"ipProtocol"`
}

type commandDocument struct {
	Value string `json:"value"`
}

// MarshalJSON writes the check as Marathon does.
func (h HealthCheck) MarshalJSON() ([]byte, error) {
	d := healthDocument{
		Protocol: h.Protocol, Path: h.Path, PortIndex: h.PortIndex, Port: h.Port, GracePeriodSeconds: h.GracePeriodSeconds,
		IntervalSeconds: h.IntervalSeconds, TimeoutSeconds: h.TimeoutSeconds, DelaySeconds: h.DelaySeconds,
		MaxConsecutiveFailures: h.MaxConsecutiveFailures, IPProtocol: h.IPProtocol,
	}
	if h.Protocol == Command {
		d.Command = &commandDocument{h.Command}
	}
	if h.OverHTTP() {
		d.IgnoreHTTP1xx = &h.IgnoreHTTP1xx
	}
	return plainJSON(d)
}

// UnmarshalJSON reads back what MarshalJSON wrote. What clients send is read by
// Parse, which knows defaults and rules.
func (h *HealthCheck) UnmarshalJSON(data []byte) error {
	var d healthDocument
	if err := strictly(data, &d); err != nil {
		return err
	}
	*h = HealthCheck{
		Protocol: d.Protocol, Path: d.Path, PortIndex: d.PortIndex, Port: d.Port, GracePeriodSeconds: d.GracePeriodSeconds,
		IntervalSeconds: d.IntervalSeconds, TimeoutSeconds: d.TimeoutSeconds, DelaySeconds: d.DelaySeconds,
		MaxConsecutiveFailures: d.MaxConsecutiveFailures, IPProtocol: d.IPProtocol,
	}
	if d.Command != nil {
		h.Command = d.Command.Value
	}
	if d.IgnoreHTTP1xx != nil {
		h.IgnoreHTTP1xx = *d.IgnoreHTTP1xx
	}
	return nil
}
