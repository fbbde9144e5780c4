/** A poster drawn from a show's id: the same id always gives the same picture. */
export function Poster({ seed }: { seed: string }) {
  const hash = hashOf(seed);
  const hue = hash % 360;
  const Motif = MOTIFS[(hash >>> 9) % MOTIFS.length] ?? Waves;
  return (
    <div class="poster" style={{ "--hue": hue }} aria-hidden="true">
      <svg viewBox="0 0 320 120" preserveAspectRatio="xMidYMid slice" role="presentation">
        <Motif shift={(hash >>> 16) % 40} />
      </svg>
    </div>
  );
}

type Motif = (props: { shift: number }) => preact.JSX.Element;

const FIVE = [0, 1, 2, 3, 4];
const SEVEN = [0, 1, 2, 3, 4, 5, 6];

const Waves: Motif = ({ shift }) => (
  <>
    <circle cx={230 - shift} cy="42" r="24" class="tint-3" />
    {FIVE.map((row) => {
      const y = 52 + row * 16;
      return (
        <path
          key={row}
          class={`tint-${(row % 3) + 1}`}
          d={`M-40 ${y} q 40 ${-18 + row} 80 0 t 80 0 t 80 0 t 80 0 t 80 0 V 140 H -40 z`}
          transform={`translate(${((row * 23 + shift) % 60) - 30} 0)`}
        />
      );
    })}
  </>
);

const Arches: Motif = ({ shift }) => (
  <>
    {FIVE.map((place) => {
      const x = 10 + place * 66 - shift / 2;
      return (
        <g key={place}>
          <path class="tint-1" d={`M${x} 130 V 62 a 29 29 0 0 1 58 0 V 130 z`} />
          <path
            class={`tint-${(place % 2) + 2}`}
            d={`M${x + 12} 130 V 66 a 17 17 0 0 1 34 0 V 130 z`}
          />
        </g>
      );
    })}
  </>
);

const Rings: Motif = ({ shift }) => (
  <>
    {[96, 74, 53, 34, 16].map((radius, place) => (
      <circle
        key={radius}
        cx={110 + shift * 2}
        cy="104"
        r={radius}
        class={`tint-${(place % 3) + 1}`}
      />
    ))}
  </>
);

const Beams: Motif = ({ shift }) => (
  <>
    {SEVEN.map((place) => (
      <path
        key={place}
        class={`tint-${(place % 3) + 1}`}
        d={`M${150 + shift} -20 L ${place * 62 - 60} 130 h 30 z`}
      />
    ))}
  </>
);

const Hills: Motif = ({ shift }) => (
  <>
    <circle cx={70 + shift} cy="40" r="18" class="tint-3" />
    <path class="tint-1" d={`M-10 130 L ${80 + shift} 36 L 180 130 z`} />
    <path class="tint-2" d={`M90 130 L ${210 - shift} 22 L 330 130 z`} />
    <path class="tint-3" d="M-10 130 L 40 88 L 130 130 z M230 130 L 290 76 L 360 130 z" />
  </>
);

const MOTIFS: Motif[] = [Waves, Arches, Rings, Beams, Hills];

/** FNV-1a with MurmurHash3's finaliser, 32 bits, so that similar ids give different pictures. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text) {
    hash ^= character.codePointAt(0) ?? 0;
    hash = Math.imul(hash, 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
