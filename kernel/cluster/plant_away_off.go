//go:build !plant_answer_for_absent

package cluster

// plantAnswerForAbsent is a planted bug that the tests must find: a new leader tells of
// tasks whose agents have not come back yet that it does not know them.
const plantAnswerForAbsent = false
