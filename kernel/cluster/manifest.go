package cluster

import (
	"fmt"

	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/sdk"
)

// setBootManifest stores what init starts from now on; init itself (kernel/boot) reads
// it from the registry.
func (c *Cluster) setBootManifest(in OperatorCall) {
	s := in.Call.SetBootManifest
	if s == nil {
		c.reply(in.Request, sdk.Errorf(sdk.CodeInvalid, "set_boot_manifest", "Expecting 'set_boot_manifest' to be present"))
		return
	}
	if err := CheckManifest(&s.Manifest); err != nil {
		c.reply(in.Request, refusal(err))
		return
	}
	c.propose(registry.Command{
		Type:        registry.CommandSetManifest,
		SetManifest: &registry.SetManifest{Manifest: s.Manifest},
	}, func(r registry.Result) {
		if r.Err != nil {
			c.reply(in.Request, r.Err)
			return
		}
		c.log(Info, "an operator set the boot manifest", "frameworks", len(s.Manifest.Frameworks), "apps", len(s.Manifest.Apps), "principal", in.Caller.Principal)
		c.done(in.Request)
	})
}

// CheckManifest is what is wrong with a boot manifest, its roles included.
func CheckManifest(m *sdk.BootManifest) error {
	if err := m.Validate(); err != nil {
		return err
	}
	for i := range m.Frameworks {
		if wrong := checkRole(m.Frameworks[i].Role); wrong != "" {
			return sdk.Errorf(sdk.CodeInvalid, fmt.Sprintf("frameworks[%d].role", i), "%s", wrong)
		}
	}
	return nil
}

// BootManifest is the manifest that the registry has, as operators are told.
func BootManifest(reg *registry.State) *sdk.GetBootManifest {
	out := &sdk.GetBootManifest{}
	if m := reg.Manifest(); m != nil {
		out.Manifest = &m.Manifest
	}
	return out
}
