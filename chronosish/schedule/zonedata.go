package schedule

import (
	_ "embed"
	"encoding/binary"
	"time"
)

// The zone data are those that Go's own sources come with: tables of the IANA, one a zone,
// in an archive that does not compress them. They are the same on every host, whatever
// zone data it has or has not, and change with the program alone.
//
//go:generate sh -c "cp $(go env GOROOT)/lib/time/zoneinfo.zip . && sed -n s/^DATA=//p $(go env GOROOT)/lib/time/update.bash | tr -d '\\n' > zoneversion"
var (
	//go:embed zoneinfo.zip
	zoneArchive string //nolint:gochecknoglobals // what go:embed makes
	//go:embed zoneversion
	zoneVersion string //nolint:gochecknoglobals // likewise
)

// ZoneVersion is which edition of the IANA's zone data is in use, such as 2025c.
func ZoneVersion() string { return zoneVersion }

// loadZone makes the zone of that name in the zone data; false: they have none.
func loadZone(name string) (*time.Location, bool) {
	table, ok := zoneTable(zoneArchive, name)
	if !ok {
		return nil, false
	}
	in, err := time.LoadLocationFromTZData(name, []byte(table))
	return in, err == nil
}

// zoneTable finds a file in a zip archive without a comment, whose files are not
// compressed. (archive/zip reads the whole directory into memory for each; a directory that
// is kept would be for ever.)
func zoneTable(archive, name string) (string, bool) {
	const endSize, entrySize, headSize = 22, 46, 30 // of the records, without names
	u16 := func(at int) int { return int(binary.LittleEndian.Uint16([]byte(archive[at : at+2]))) }
	u32 := func(at int) int { return int(binary.LittleEndian.Uint32([]byte(archive[at : at+4]))) }
	end := len(archive) - endSize
	at := u32(end + 16)
	for range u16(end + 10) {
		size, length := u32(at+24), u16(at+28)
		if archive[at+entrySize:at+entrySize+length] == name {
			head := u32(at + 42)
			from := head + headSize + u16(head+26) + u16(head+28)
			return archive[from : from+size], true
		}
		at += entrySize + length + u16(at+30) + u16(at+32)
	}
	return "", false
}
