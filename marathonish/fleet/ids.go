package fleet

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// ids makes ids that are unique as long as no two have the same seed.
type ids struct {
	seed [16]byte
	n    uint64
}

func (i *ids) next() [32]byte {
	i.n++
	return sha256.Sum256(binary.BigEndian.AppendUint64(i.seed[:], i.n))
}

// uuid is a new one, in the form of a random UUID.
func (i *ids) uuid() string {
	b := i.next()
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// number is a new number by chance.
func (i *ids) number() uint64 {
	b := i.next()
	return binary.BigEndian.Uint64(b[:8])
}
