package plan

import (
	"math"

	"github.com/profferhq/proffer/marathonish/app"
)

// slack takes away what binary fractions add to a product such as 10 · 0.7.
const slack = 1e-9

// Bounds are the floor of ready instances and the ceiling of all instances while n
// of them are replaced. Where the strategy leaves no room to move, the ceiling is
// one higher, as in Marathon.
func Bounds(n int, u app.UpgradeStrategy) (floor, ceiling int) {
	floor = int(math.Ceil(float64(n)*u.MinimumHealthCapacity - slack))
	ceiling = int(math.Floor(float64(n)*(1+u.MaximumOverCapacity) + slack))
	if floor == ceiling && n > 0 {
		ceiling++
	}
	return floor, ceiling
}
