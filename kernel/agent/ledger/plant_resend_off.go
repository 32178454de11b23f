//go:build !plant_forget_resend

package ledger

// plantForgetResend is a planted bug that the tests must find: an update that was sent
// once is not sent again while the stream holds.
const plantForgetResend = false
