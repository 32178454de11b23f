package credential

// PurposeGateway is followed by the principal of the framework that the key is for.
const PurposeGateway = "gateway/"

// GatewayKey is what the gateway signs callers with for the framework of a principal.
// That framework is given it, and can make signatures for itself alone with it.
func (k Key) GatewayKey(principal string) []byte {
	d := k.Derive(PurposeGateway + principal)
	return d[:]
}
