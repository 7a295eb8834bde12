/** Counts over time, as small as a word. The number beside it is what it says to readers of text. */
export function Trend({ counts, look = 'plain' }: { counts: readonly number[]; look?: 'plain' | 'failure' }) {
  const most = Math.max(1, ...counts)
  return (
    <svg
      class={`trend trend-${look}`}
      viewBox={`0 0 ${counts.length} 16`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      {counts.map((count, index) =>
        count === 0 ? null : (
          <rect
            key={index}
            x={index + 0.08}
            width={0.84}
            y={16 - Math.max(1.5, (count / most) * 16)}
            height={Math.max(1.5, (count / most) * 16)}
          />
        ),
      )}
    </svg>
  )
}
