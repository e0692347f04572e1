import pc from 'picocolors'

/** Colours by what they say. Off where the output is no terminal, or NO_COLOR is set. */
export const paint = {
  good: pc.green,
  bad: pc.red,
  attention: pc.yellow,
  name: pc.bold,
  aside: pc.dim,
  laptop: pc.cyan,
  cluster: pc.magenta,
}
