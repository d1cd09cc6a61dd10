/** A claim's proof: does it, and returns what it saw as Markdown. @throws Error if the claim does not hold */
export type Proof = (say: (text: string) => void) => Promise<string | undefined>;
