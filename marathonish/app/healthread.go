package app

// readHealthChecks reads the checks, each with the defaults of its protocol.
func readHealthChecks(v value) []HealthCheck {
	var out []HealthCheck
	for _, e := range v.list() {
		out = append(out, readHealthCheck(e))
	}
	return out
}

func readHealthCheck(v value) HealthCheck {
	h := HealthCheck{Protocol: HTTP, GracePeriodSeconds: 300, IntervalSeconds: 60, TimeoutSeconds: 20, MaxConsecutiveFailures: 3, IPProtocol: "IPv4"}
	given := map[string]string{} // field → path
	note := func(name string, read func(value)) func(value) {
		return func(v value) {
			given[name] = v.path
			read(v)
		}
	}
	v.fields("a health check", map[string]func(value){
		"protocol": func(v value) {
			h.Protocol = enum(v, HTTP, HTTPS, TCP, Command, MesosHTTP, MesosHTTPS, MesosTCP)
		},
		"path":                   note("path", text(&h.Path)),
		"portIndex":              note("portIndex", wholePointer(&h.PortIndex)),
		"port":                   note("port", wholePointer(&h.Port)),
		"command":                note("command", func(v value) { h.Command = readCommand(v) }),
		"ignoreHttp1xx":          note("ignoreHttp1xx", truth(&h.IgnoreHTTP1xx)),
		"gracePeriodSeconds":     whole(&h.GracePeriodSeconds),
		"intervalSeconds":        whole(&h.IntervalSeconds),
		"timeoutSeconds":         whole(&h.TimeoutSeconds),
		"delaySeconds":           whole(&h.DelaySeconds),
		"maxConsecutiveFailures": whole(&h.MaxConsecutiveFailures),
		"ipProtocol":             func(v value) { h.IPProtocol = enum(v, "IPv4", "IPv6") },
	})
	refuse := func(name, why string) {
		if at, ok := given[name]; ok {
			v.f.broken(at, "%s", why)
		}
	}
	if h.Protocol != Command {
		refuse("command", "is for the protocol COMMAND only")
		h.Command = ""
	} else {
		for _, name := range []string{"path", "portIndex", "port"} {
			refuse(name, "is not for the protocol COMMAND")
		}
		h.Path, h.PortIndex, h.Port = "", nil, nil
		if h.Command == "" {
			v.f.broken(v.path+"/command", "must be given for the protocol COMMAND")
		}
		return h
	}
	if h.OverHTTP() {
		if h.Path == "" {
			h.Path = "/"
		}
	} else {
		refuse("path", "is for the protocols of HTTP only")
		if h.IgnoreHTTP1xx {
			refuse("ignoreHttp1xx", "is for the protocols of HTTP only")
		}
		h.Path, h.IgnoreHTTP1xx = "", false
	}
	if h.Port == nil && h.PortIndex == nil {
		zero := 0
		h.PortIndex = &zero
	}
	return h
}

// readCommand reads {"value": …}; marathon-python's older releases send the bare text.
func readCommand(v value) string {
	if s, ok := v.v.(string); ok {
		return s
	}
	var s string
	v.fields("command", map[string]func(value){"value": text(&s)})
	return s
}
