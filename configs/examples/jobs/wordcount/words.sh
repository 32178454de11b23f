#!/bin/sh
# A word count as jobs that run after each other. This file travels inside each of them; what
# they hand on to each other lies in $WORDS_DIR, which every agent must see. A word is a run of
# ASCII letters, digits and underscores. A result is there whole or not at all, so that an
# attempt that was killed leaves nothing for the next one to trip over.
#
#   words.sh split      $WORDS_DIR/text into the pieces a to h
#   words.sh map a      count the words of piece a
#   words.sh reduce     add up what the mappers have counted
#   words.sh check      count the whole text in another way, and compare
set -eu
export LC_ALL=C
cd "${WORDS_DIR:?must name the directory that the jobs share}"
letters='a b c d e f g h'

# words prints every word of its input on a line of its own.
words() { tr -cs 'A-Za-z0-9_' '\n' | sed '/^$/d'; }

case "$1" in
split)
	rm -f piece-* count-* host-* pid-* result
	lines=$(wc -l <text)
	split -a 1 -l $((lines / 8 + 1)) text piece-
	echo "$lines lines in" piece-?
	;;
map)
	echo $$ >"pid-$2"
	if [ "$CHRONOS_JOB_RUN_ATTEMPT" = 0 ] && [ -n "${WORDS_NAP:-}" ]; then
		echo "sleeping for $WORDS_NAP s in my first attempt; kill me meanwhile"
		sleep "$WORDS_NAP"
	fi
	words <"piece-$2" | awk '{ n[$0]++ } END { for (w in n) print w, n[w] }' | sort >"part-$2.$$"
	mv "part-$2.$$" "count-$2"
	echo "$HOST" >"host-$2"
	echo "$(wc -l <"count-$2") different words in piece $2, counted on $HOST in attempt $CHRONOS_JOB_RUN_ATTEMPT"
	;;
reduce)
	for l in $letters; do
		[ -e "count-$l" ] || { echo "mapper $l has left nothing" >&2; exit 1; }
	done
	sort -m count-? | awk '{ word = $1 "" } word != w { if (n) print w, n; w = word; n = 0 } { n += $2 } END { if (n) print w, n }' >"result.$$" # "": as text, or 07 is 7
	mv "result.$$" result
	echo "$(wc -l <result) different words, $(awk '{ n += $2 } END { print n }' result) in all, from 8 mappers on $(sort -u host-? | wc -l) agents; the most frequent are"
	sort -k 2,2nr result | head -n 5
	;;
check)
	words <text | sort | uniq -c | awk '{ print $2, $1 }' | cmp - result >&2 || { echo "the result is not that of a direct count" >&2; exit 1; }
	echo "equal to a direct count of the whole text"
	;;
*)
	echo "words.sh: $1 is none of split, map, reduce and check" >&2
	exit 2
	;;
esac
