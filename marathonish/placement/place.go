package placement

import (
	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/sdk"
)

// Want is a number of launches of one app.
type Want struct {
	App   *app.App
	Count int
	// Placed are the instances that count for the constraints and for the spread:
	// all but those that a running deployment is going to replace.
	Placed []Placed
}

// Placed is where an instance runs.
type Placed struct {
	AgentID sdk.AgentID
	Host    string
	// Values are those of the agent's attributes that the app's constraints name.
	Values map[string]string
}

// Launch is one launch on one offer.
type Launch struct {
	Want      int // index into the wants
	Offer     int // index into the offers
	Ports     []int
	Resources []sdk.Resource
	Values    map[string]string // for Placed
}

// Refused is why an offer could not be used for what is left of a want.
type Refused struct {
	Offer   int
	Reason  Reason
	Message string // about the constraint or the amount, for people
}

// Result is what Place decides.
type Result struct {
	Launches []Launch
	// Refused has for each want that is not wholly placed one entry for each offer
	// that could not take another instance of it.
	Refused [][]Refused
}

// Place puts the wants onto the offers, in the order of the wants. Nothing that it
// is given is changed or kept.
func Place(offers []sdk.Offer, wants []Want, seed uint64) Result {
	dice := dice{seed}
	books := make([]*book, len(offers))
	for i := range offers {
		books[i] = open(&offers[i])
	}
	r := Result{Refused: make([][]Refused, len(wants))}
	for w := range wants {
		p := placing{want: &wants[w], rules: compile(wants[w].App), books: books, dice: &dice, on: map[sdk.AgentID]int{}}
		for _, placed := range wants[w].Placed {
			p.counted = append(p.counted, placed)
			p.on[placed.AgentID]++
		}
		for n := 0; n < wants[w].Count; n++ {
			launch, refused := p.one()
			if launch == nil {
				r.Refused[w] = refused
				break
			}
			launch.Want = w
			r.Launches = append(r.Launches, *launch)
		}
	}
	return r
}

// placing is the placement of one want.
type placing struct {
	want    *Want
	rules   []rule
	books   []*book
	dice    *dice
	counted []Placed
	on      map[sdk.AgentID]int
}

// one places one instance: on the first agent without any of the app, else on one
// with the fewest. Without a place it tells of all offers why.
func (p *placing) one() (*Launch, []Refused) {
	a := p.want.App
	best, fewest := -1, 0
	var refused []Refused
	if len(p.books) == 0 {
		return nil, nil
	}
	first := p.dice.below(len(p.books))
	for k := range p.books {
		i := (first + k) % len(p.books)
		b := p.books[i]
		reason, message := p.fits(b)
		if reason != Fits {
			refused = append(refused, Refused{Offer: i, Reason: reason, Message: message})
			continue
		}
		if n := p.on[b.offer.AgentID]; best < 0 || n < fewest {
			best, fewest = i, n
		}
		if fewest == 0 {
			break
		}
	}
	if best < 0 {
		return nil, refused
	}
	b := p.books[best]
	launch := &Launch{Offer: best, Values: p.values(b)}
	launch.Resources, launch.Ports = b.take(a, p.dice)
	p.counted = append(p.counted, Placed{AgentID: b.offer.AgentID, Host: b.offer.Hostname, Values: launch.Values})
	p.on[b.offer.AgentID]++
	return launch, nil
}

// fits tells what stands in the way of one more instance on the offer.
func (p *placing) fits(b *book) (Reason, string) {
	a := p.want.App
	if message := b.role(a); message != "" {
		return UnfulfilledRole, message
	}
	for i := range p.rules {
		if message := p.rules[i].refuses(b, p.counted); message != "" {
			return UnfulfilledConstraint, message
		}
	}
	return b.short(a)
}

// values are the offer's values of the fields that constraints name.
func (p *placing) values(b *book) map[string]string {
	var values map[string]string
	for i := range p.rules {
		if c := &p.rules[i].Constraint; !c.Host() {
			if v, ok := b.value(c.Field); ok {
				if values == nil {
					values = map[string]string{}
				}
				values[c.Field] = v
			}
		}
	}
	return values
}

// dice is chance from a seed (splitmix64).
type dice struct{ state uint64 }

// below is a number from 0 to n-1.
func (d *dice) below(n int) int {
	d.state += 0x9e3779b97f4a7c15
	z := d.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return int((z ^ z>>31) % uint64(n))
}
