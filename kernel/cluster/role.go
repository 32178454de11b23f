package cluster

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/profferhq/proffer/kernel/allocator"
	"github.com/profferhq/proffer/sdk"
)

// defaultRole is the role of a framework that names none.
const defaultRole = "*"

// checkRole is what is wrong with a role's name, or "".
func checkRole(role string) string {
	switch {
	case role == defaultRole:
		return ""
	case role == "":
		return "Role names cannot be the empty string"
	case len(role) > sdk.MaxIDLength:
		return fmt.Sprintf("Role of %d bytes is too long, at most %d are allowed", len(role), sdk.MaxIDLength)
	case strings.HasPrefix(role, "/"):
		return fmt.Sprintf("Role '%s' cannot start with a slash", role)
	case strings.HasSuffix(role, "/"):
		return fmt.Sprintf("Role '%s' cannot end with a slash", role)
	case strings.Contains(role, "//"):
		return fmt.Sprintf("Role '%s' cannot contain two adjacent slashes", role)
	}
	for part := range strings.SplitSeq(role, "/") {
		switch {
		case part == "." || part == ".." || part == "*":
			return fmt.Sprintf("Role '%s' cannot include '%s' as a component", role, part)
		case strings.HasPrefix(part, "-"):
			return fmt.Sprintf("Role component '%s' is invalid because it starts with a dash", part)
		case strings.ContainsFunc(part, func(r rune) bool { return r == '\b' || r == 0x7f || unicode.IsSpace(r) || unicode.IsControl(r) }):
			return fmt.Sprintf("Role component '%s' is invalid because it contains backspace or whitespace", part)
		}
	}
	return ""
}

// rolesOf are the roles that a framework's info names, sorted; none for a
// MULTI_ROLE framework without roles.
func rolesOf(info *sdk.FrameworkInfo) []string {
	if hasCapability(info, sdk.CapabilityMultiRole) {
		roles := slices.Clone(info.Roles)
		slices.Sort(roles)
		return roles
	}
	if info.Role == "" {
		return []string{defaultRole}
	}
	return []string{info.Role}
}

// checkRoles is what is wrong with the roles of a framework, or "".
func checkRoles(info *sdk.FrameworkInfo, suppressed []string) string {
	multi := hasCapability(info, sdk.CapabilityMultiRole)
	switch {
	case multi && info.Role != "" && info.Role != defaultRole:
		return "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable"
	case !multi && len(info.Roles) > 0:
		return "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable"
	}
	roles := rolesOf(info)
	for i, role := range roles {
		if i > 0 && roles[i-1] == role {
			return fmt.Sprintf("'FrameworkInfo.roles' contains duplicate items: { %s }", role)
		}
		if wrong := checkRole(role); wrong != "" {
			if multi {
				return "'FrameworkInfo.roles' contains invalid role: " + wrong
			}
			return "'FrameworkInfo.role' is not a valid role: " + wrong
		}
	}
	var foreign []string
	for _, role := range suppressed {
		if !slices.Contains(roles, role) {
			foreign = append(foreign, role)
		}
	}
	if len(foreign) > 0 {
		return fmt.Sprintf("Suppressed roles { %s } are not contained in the set of roles", strings.Join(foreign, ", "))
	}
	return ""
}

// checkSystem is why a framework may not have the role system, or "": it is served first,
// so it is only for what the cluster itself runs.
func (c *Cluster) checkSystem(info *sdk.FrameworkInfo, operator bool) string {
	if operator || c.launchers[info.Principal] {
		return ""
	}
	for _, role := range rolesOf(info) {
		if role == allocator.SystemRole || sdk.IsSubrole(role, allocator.SystemRole) {
			return fmt.Sprintf("Role '%s' is for what the cluster itself runs; it needs an operator, or a principal that may start frameworks (--framework-launchers), which '%s' is not", role, info.Principal)
		}
	}
	return ""
}

func hasCapability(info *sdk.FrameworkInfo, want sdk.Capability) bool {
	for _, c := range info.Capabilities {
		if c.Type == want {
			return true
		}
	}
	return false
}
