// Package gateway is for frameworks that serve HTTP behind the masters' gateway: it
// tells who calls, and refuses whoever did not come through it.
//
//	v := gateway.New(masters.FromEnv(), "wordcount")
//	server := &http.Server{Handler: v.Handler(mux)}
//	…
//	who := gateway.CallerOf(r.Context())
//
// A framework listens at a port of its own and says so in FrameworkInfo.webui_url. A
// request to http://any-master:5050/service/NAME/PATH reaches it as /PATH: the master
// has checked the caller's credential, does not pass it on, and signs instead who the
// caller is. In any language:
//
//	Proffer-Caller     base64url, without padding, of a JSON object: "audience" (the
//	                   principal of the framework), "principal" (of the caller), "operator"
//	                   (true: may act as any principal), "time" (unix seconds)
//	Proffer-Signature  base64url, without padding, of HMAC-SHA256(key, the value of
//	                   Proffer-Caller + "\n" + method + "\n" + request URI)
//
// The key is the framework's own: GET /api/v1/gateway?audience=PRINCIPAL with the
// framework's token answers {"audience": …, "key": base64url}, without padding, or with
// "insecure": true and no key where the cluster asks for no credentials; then everybody
// is an operator. A signature holds for a minute, before and after its time, because the
// clocks of two machines differ.
//
// It owns the key in memory and nothing else; it never decides what a caller may do. A
// Verifier may be used by any number of goroutines.
package gateway
