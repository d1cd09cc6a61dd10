/** A copy of an object without some of its keys, the others in their order. */
export function without<T extends object, K extends keyof T>(from: T, ...keys: readonly K[]): Omit<T, K> {
  const left = { ...from };
  for (const key of keys) delete left[key];
  return left;
}
