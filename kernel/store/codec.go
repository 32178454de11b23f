package store

import (
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// EncodeCommand appends a command to dst as the replicated log holds it.
func EncodeCommand(dst []byte, c Command) ([]byte, error) {
	if c.Version == 0 {
		c.Version = CommandVersion
	}
	return wire.Append(wire.Msgpack, dst, &c)
}

// DecodeCommand reads what EncodeCommand wrote. A newer version than this code
// knows is refused by name (CodeUnsupported), whatever else is in it.
func DecodeCommand(data []byte) (Command, error) {
	var c Command
	err := wire.Unmarshal(wire.Msgpack, data, &c)
	if err != nil || c.Version == 0 || c.Version > CommandVersion {
		if newer := refuseNewer(data, CommandVersion, "store command"); newer != nil {
			return Command{}, newer
		}
	}
	return c, err
}

func refuseNewer(data []byte, known uint32, what string) error {
	var head struct {
		Version uint32 `wire:"1,version,required"`
	}
	if err := wire.Unmarshal(wire.Msgpack, data, &head); err != nil {
		return err
	}
	switch {
	case head.Version == 0:
		return sdk.Errorf(sdk.CodeInvalid, "version", "%s without a version", what)
	case head.Version > known:
		return sdk.Errorf(sdk.CodeUnsupported, "version", "%s of version %d, this master knows up to %d: upgrade it", what, head.Version, known)
	}
	return nil
}
