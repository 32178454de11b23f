//go:build plant_answer_for_absent

package cluster

const plantAnswerForAbsent = true
