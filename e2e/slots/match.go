package slots

import "slices"

// slots matches the runs of a job to the slots of its schedule.
func (j *judge) slots(p *past, runs [][]*attempt) {
	ran, left := map[int64][]*attempt{}, p.skipped()
	for _, run := range runs {
		at := run[0].Nominal
		if !p.job.has(at) {
			j.find(Count, p.job.Name, at, "%s ran, and this is no slot of the job", run[0].Task)
			continue
		}
		ran[at] = run
	}
	for at := p.job.Start; at <= j.until && p.job.has(at); at += p.job.Period {
		p.tally.Slots++
		run, why := ran[at], left[at]
		switch {
		case len(why) > 1:
			j.find(Duplicate, p.job.Name, at, "it was skipped more than once: %q", why)
		case len(run) > 0 && len(why) > 0:
			j.find(Duplicate, p.job.Name, at, "it ran at %s, and was skipped: %s", clock(run[0].begun), why[0])
		case len(run) == 0 && len(why) == 0:
			j.find(Missed, p.job.Name, at, "it has neither run nor been skipped")
		}
		if len(why) > 0 {
			p.tally.Skipped++
			p.tally.Why[why[0]]++
		}
		if len(run) == 0 {
			continue
		}
		p.tally.Ran++
		late := run[0].begun - at
		p.tally.Lateness = append(p.tally.Lateness, late)
		switch {
		case late < 0:
			j.find(Early, p.job.Name, at, "%s began %d ms before its slot", run[0].Task, -late)
		case p.job.Window > 0 && late > p.job.Window+grace:
			j.find(Late, p.job.Name, at, "%s began %d ms after its slot", run[0].Task, late)
		}
	}
}

// has tells whether that is a slot of the job.
func (j *Job) has(at int64) bool {
	k := (at - j.Start) / j.Period
	return at >= j.Start && at == j.Start+k*j.Period && (j.Count == 0 || k < j.Count)
}

// skipped are the reasons for which slots did not run.
func (p *past) skipped() map[int64][]string {
	left := map[int64][]string{}
	for _, r := range p.records {
		if r.Outcome != skipped || p.job.Period == 0 {
			continue
		}
		for at := r.Nominal; at <= max(r.Last, r.Nominal); at += p.job.Period {
			left[at] = append(left[at], r.Reason)
		}
	}
	return left
}

// children matches the runs of a child to the successes of its parent: one to one, by the
// task that each run says to have been caused by.
func (j *judge) children(p *past, runs [][]*attempt) {
	caused := map[string]int64{} // the child's nominal time, by the parent's task
	for _, run := range runs {
		first := run[0]
		for _, a := range run {
			if !slices.Equal(a.Parents, first.Parents) {
				j.find(Order, p.job.Name, a.Nominal, "its attempts say to follow %v and %v", first.Parents, a.Parents)
			}
		}
		if len(first.Parents) != 1 {
			j.find(Order, p.job.Name, first.Nominal, "%s says to follow %v, which is not one run of %s", first.Task, first.Parents, p.job.Parent)
			continue
		}
		id := first.Parents[0]
		parent := j.tasks[id]
		switch before, twice := caused[id]; {
		case twice:
			j.find(Duplicate, p.job.Name, first.Nominal, "it follows %s, as the run at %s does", id, clock(before))
		case parent == nil || parent.Job != p.job.Parent:
			j.find(Order, p.job.Name, first.Nominal, "it follows %s, which never ran as %s", id, p.job.Parent)
		case parent.ended == 0:
			j.find(Order, p.job.Name, first.Nominal, "it follows %s, which has never ended", id)
		case first.begun < parent.ended:
			j.find(Order, p.job.Name, first.Nominal, "it began at %s, and its parent %s ended at %s", clock(first.begun), id, clock(parent.ended))
		default:
			p.tally.Lateness = append(p.tally.Lateness, first.begun-parent.ended)
		}
		caused[id] = first.Nominal
	}
	parents := j.jobs[p.job.Parent]
	if parents == nil {
		return
	}
	for _, a := range parents.attempts {
		if a.ended == 0 || a.Nominal > j.until {
			continue
		}
		p.tally.Slots++
		if _, ok := caused[a.Task]; ok {
			p.tally.Ran++
		} else {
			j.find(LostChild, p.job.Name, a.Nominal, "%s has succeeded at %s, and no run follows it", a.Task, clock(a.ended))
		}
	}
}
