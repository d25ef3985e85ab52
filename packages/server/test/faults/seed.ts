/** Random tests print their seed and take it back by `SEED`; longer runs are asked for by `ROUNDS`. */
export const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 32));

export function rounds(usual: number): number {
  return Number(process.env["ROUNDS"] ?? usual);
}
