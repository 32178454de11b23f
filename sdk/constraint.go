package sdk

// OfferConstraints is the message mesos.v1.scheduler.OfferConstraints.
type OfferConstraints struct {
	RoleConstraints map[string]RoleConstraints `wire:"1,role_constraints"`
}

// RoleConstraints is the message mesos.v1.scheduler.OfferConstraints.RoleConstraints.
type RoleConstraints struct {
	Groups []ConstraintGroup `wire:"1,groups"`
}

// ConstraintGroup is the message mesos.v1.scheduler.OfferConstraints.RoleConstraints.Group.
type ConstraintGroup struct {
	AttributeConstraints []AttributeConstraint `wire:"1,attribute_constraints"`
}

// AttributeConstraint is the message mesos.v1.scheduler.AttributeConstraint.
type AttributeConstraint struct {
	Selector  ConstraintSelector  `wire:"1,selector,required"`
	Predicate ConstraintPredicate `wire:"2,predicate,required"`
}

// ConstraintSelector is the message mesos.v1.scheduler.AttributeConstraint.Selector.
type ConstraintSelector struct {
	PseudoattributeType PseudoattributeType `wire:"1,pseudoattribute_type"`
	AttributeName       string              `wire:"2,attribute_name"`
}

// PseudoattributeType is Mesos's AttributeConstraint.Selector.PseudoattributeType enumeration; the empty value means absent.
type PseudoattributeType string

// The values of PseudoattributeType, by their names on the wire.
const (
	PseudoattributeUnknown  PseudoattributeType = "UNKNOWN"
	PseudoattributeHostname PseudoattributeType = "HOSTNAME"
	PseudoattributeRegion   PseudoattributeType = "REGION"
	PseudoattributeZone     PseudoattributeType = "ZONE"
)

// Enum lists the names of PseudoattributeType with their protobuf numbers.
func (PseudoattributeType) Enum() []EnumValue {
	return []EnumValue{
		{"UNKNOWN", 0},
		{"HOSTNAME", 1},
		{"REGION", 2},
		{"ZONE", 3},
	}
}

// ConstraintPredicate is the message mesos.v1.scheduler.AttributeConstraint.Predicate.
type ConstraintPredicate struct {
	Exists         *ConstraintExists    `wire:"1,exists"`
	NotExists      *ConstraintNotExists `wire:"2,not_exists"`
	TextEquals     *TextEquals          `wire:"3,text_equals"`
	TextNotEquals  *TextNotEquals       `wire:"4,text_not_equals"`
	TextMatches    *TextMatches         `wire:"5,text_matches"`
	TextNotMatches *TextNotMatches      `wire:"6,text_not_matches"`
}

// ConstraintExists is the message mesos.v1.scheduler.AttributeConstraint.Predicate.Exists.
type ConstraintExists struct{}

// ConstraintNotExists is the message mesos.v1.scheduler.AttributeConstraint.Predicate.NotExists.
type ConstraintNotExists struct{}

// TextEquals is the message mesos.v1.scheduler.AttributeConstraint.Predicate.TextEquals.
type TextEquals struct {
	Value string `wire:"1,value,required"`
}

// TextNotEquals is the message mesos.v1.scheduler.AttributeConstraint.Predicate.TextNotEquals.
type TextNotEquals struct {
	Value string `wire:"1,value,required"`
}

// TextMatches is the message mesos.v1.scheduler.AttributeConstraint.Predicate.TextMatches.
type TextMatches struct {
	Regex string `wire:"1,regex,required"`
}

// TextNotMatches is the message mesos.v1.scheduler.AttributeConstraint.Predicate.TextNotMatches.
type TextNotMatches struct {
	Regex string `wire:"1,regex,required"`
}
