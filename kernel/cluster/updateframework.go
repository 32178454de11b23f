package cluster

import (
	"slices"

	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/sdk"
)

// updateFramework is UPDATE_FRAMEWORK: answered when it is stored.
func (c *Cluster) updateFramework(request uint64, f *framework, call *sdk.UpdateFramework) {
	info := call.FrameworkInfo
	if info.Principal == "" {
		info.Principal = f.info.Principal
	}
	field, wrong := checkUpdate(f, &info, call)
	if wrong == "" {
		field, wrong = ".framework_info.name", c.checkName(info.Name, f.id())
	}
	if wrong == "" {
		field, wrong = ".framework_info.roles", c.checkSystem(&info, f.operator)
	}
	if wrong != "" {
		c.reply(request, sdk.Errorf(sdk.CodeInvalid, "update_framework"+field, "%s", wrong))
		return
	}
	c.propose(registry.Command{
		Type:           registry.CommandAdmitFramework,
		AdmitFramework: &registry.AdmitFramework{Info: info},
	}, func(r registry.Result) {
		if r.Err != nil || f.zombie {
			c.reply(request, sdk.Errorf(sdk.CodeConflict, "framework_id", "the framework was removed meanwhile"))
			return
		}
		c.replaceInfo(f, info)
		f.constraints = call.OfferConstraints
		for _, o := range byAge(f.offers) {
			if !slices.Contains(f.roles, o.role) || !satisfies(f.constraints, o.role, o.agent) {
				c.withdraw(o, true)
			}
		}
		c.books.UpdateFramework(bookEntry(f, call.SuppressedRoles))
		c.publishFramework(f, true)
		if request != 0 {
			c.emit(Reply{Request: request, Done: true})
		}
	})
}

// checkUpdate is what is wrong with new facts of a framework, and below which
// field, or "".
func checkUpdate(f *framework, info *sdk.FrameworkInfo, call *sdk.UpdateFramework) (field, wrong string) {
	const invalid = "FrameworkInfo update is not valid: "
	switch {
	case info.Principal != f.info.Principal:
		return ".framework_info.principal", invalid + "Changing framework's principal is not allowed."
	case info.User != f.info.User:
		return ".framework_info.user", invalid + "Updating 'FrameworkInfo.user' is unsupported; attempted to update from '" + f.info.User + "' to '" + info.User + "'"
	case info.Checkpoint != f.info.Checkpoint:
		return ".framework_info.checkpoint", invalid + "Updating 'FrameworkInfo.checkpoint' is unsupported; attempted to update from '" + word(f.info.Checkpoint) + "' to '" + word(info.Checkpoint) + "'"
	}
	if wrong := checkInfo(info, call.SuppressedRoles); wrong != "" {
		return ".framework_info", invalid + wrong
	}
	if wrong := checkConstraints(call.OfferConstraints, rolesOf(info)); wrong != "" {
		return ".offer_constraints", "'UpdateFramework' call is not valid: " + wrong
	}
	return "", ""
}

func word(b bool) string {
	if b {
		return "true"
	}
	return "false"
}
