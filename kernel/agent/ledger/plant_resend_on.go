//go:build plant_forget_resend

package ledger

const plantForgetResend = true
