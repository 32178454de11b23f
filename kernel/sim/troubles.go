package sim

import "time"

// troubledMasters are the faults of masters and of the network.
func troubledMasters() []fault {
	return []fault{
		{"a leader crashes", 12, func(w *world) { w.interrupt(w.leads(), 200*time.Millisecond, 10*time.Second) }},
		{"a master crashes", 12, func(w *world) {
			w.interrupt(w.masters[w.rng.IntN(len(w.masters))], 200*time.Millisecond, 20*time.Second)
		}},
		{"a master loses its disk", 3, func(w *world) {
			for _, m := range w.masters {
				if !m.voter {
					return // a majority must keep its disks
				}
			}
			m := w.masters[w.rng.IntN(len(w.masters))]
			w.interrupt(m, 5*time.Second, 40*time.Second)
			m.wipe()
		}},
		{"a leader resigns", 6, func(w *world) {
			if m := w.leads(); m != nil {
				m.stepDown("somebody else is to lead", false)
			}
		}},
		{"a leader is cut from other masters", 14, func(w *world) {
			if m := w.leads(); m != nil {
				w.isolate(m)
			}
		}},
		{"a master is cut from other masters", 6, func(w *world) { w.isolate(w.masters[w.rng.IntN(len(w.masters))]) }},
		{"a client is cut from masters", 20, func(w *world) {
			name := w.client()
			d := w.between(2*time.Second, 40*time.Second)
			for _, m := range w.masters {
				w.net.part(name, m.name, d)
			}
		}},
		{"a client is cut from one master", 10, func(w *world) {
			w.net.part(w.client(), w.masters[w.rng.IntN(len(w.masters))].name, w.between(2*time.Second, 60*time.Second))
		}},
		{"all masters are replaced", 2, func(w *world) { w.rebirth() }},
	}
}

// leads is the newest master that leads; nil when none does.
func (w *world) leads() (newest *master) {
	for _, m := range w.masters {
		if m.leading() != nil && (newest == nil || m.term > newest.term) {
			newest = m
		}
	}
	return newest
}

// client is the name of somebody who speaks to masters.
func (w *world) client() string {
	if w.chance(60) {
		return w.machines[w.rng.IntN(len(w.machines))].name
	}
	var names []string
	for _, s := range w.schedulers {
		names = append(names, s.name)
	}
	for _, p := range w.programs {
		for _, i := range p.instances {
			names = append(names, i.name)
		}
	}
	return names[w.rng.IntN(len(names))]
}

// interrupt crashes a master and starts it again.
func (w *world) interrupt(m *master, low, high time.Duration) {
	if m == nil || !m.up {
		return
	}
	m.crash()
	w.after(w.between(low, high), m.name+" starts again", func() {
		if !m.replaced() {
			m.start()
		}
	})
}

// replaced tells whether the master is one of a former cluster.
func (m *master) replaced() bool {
	for _, o := range m.w.masters {
		if o == m {
			return false
		}
	}
	return true
}

// isolate parts a master from all or some of the others; clients go on reaching it.
// Whatever it was shakes the agents, too: they go to and fro.
func (w *world) isolate(m *master) {
	d := w.between(time.Second, 40*time.Second)
	if m.rule != nil && w.chance(60) {
		m.rule.patience = d // it does not notice
	}
	for _, o := range m.others() {
		if w.chance(85) {
			w.net.part(m.name, o.name, d)
		}
	}
	for _, x := range w.machines {
		for range w.rng.IntN(6) {
			w.after(w.between(100*time.Millisecond, 20*time.Second), x.name+" is shaken", func() {
				switch {
				case x.up && w.chance(40):
					x.crash()
					w.after(w.between(100*time.Millisecond, time.Second), x.name+" starts again", x.startAgent)
				case x.link != nil && x.link.stream != nil:
					x.link.stream.drop()
				}
			})
		}
	}
}
