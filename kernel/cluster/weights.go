package cluster

import (
	"fmt"

	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/sdk"
)

// updateWeights has roles weigh otherwise. Nothing is proposed unless all of it is
// right; it is done when all of it is in the registry. Offers that are out stay.
func (c *Cluster) updateWeights(in OperatorCall) {
	if err := checkWeights(in.Call.UpdateWeights); err != nil {
		c.reply(in.Request, err)
		return
	}
	infos := in.Call.UpdateWeights.WeightInfos
	left := len(infos)
	var refused *sdk.Error
	for _, w := range infos {
		c.propose(registry.Command{
			Type:      registry.CommandSetWeight,
			SetWeight: &registry.SetWeight{Role: w.Role, Weight: w.Weight},
		}, func(r registry.Result) {
			left--
			if r.Err != nil {
				refused = r.Err
			} else {
				c.books.SetWeight(w.Role, w.Weight)
				c.log(Info, "an operator set a weight", "role", w.Role, "weight", w.Weight, "principal", in.Caller.Principal)
			}
			switch {
			case left > 0:
			case refused != nil:
				c.reply(in.Request, refused)
			default:
				c.done(in.Request)
			}
		})
	}
}

func checkWeights(u *sdk.UpdateWeights) *sdk.Error {
	if u == nil || len(u.WeightInfos) == 0 {
		return sdk.Errorf(sdk.CodeInvalid, "update_weights.weight_infos", "Expecting 'update_weights' to be present, with at least one role and its weight")
	}
	seen := map[string]bool{}
	for i, w := range u.WeightInfos {
		field := fmt.Sprintf("update_weights.weight_infos[%d]", i)
		if why := checkRole(w.Role); why != "" {
			return sdk.Errorf(sdk.CodeInvalid, field+".role", "%s", why)
		}
		if !(w.Weight > 0 && w.Weight <= sdk.MaxScalar) { // not a number is neither
			return sdk.Errorf(sdk.CodeInvalid, field+".weight", "the weight of role %s is %v; it must be above zero and at most %g", w.Role, w.Weight, float64(sdk.MaxScalar))
		}
		if seen[w.Role] {
			return sdk.Errorf(sdk.CodeInvalid, field+".role", "role %s is named twice", w.Role)
		}
		seen[w.Role] = true
	}
	return nil
}

// Weights are the weights that the registry has, as operators are told.
func Weights(reg *registry.State) *sdk.GetWeights {
	out := &sdk.GetWeights{}
	for _, w := range reg.Weights() {
		out.WeightInfos = append(out.WeightInfos, sdk.WeightInfo{Role: w.Role, Weight: w.Weight})
	}
	return out
}
