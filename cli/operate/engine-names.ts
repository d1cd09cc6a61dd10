/** The name at a URN's end. */
export const nameOf = (urn: string): string => urn.slice(urn.lastIndexOf("::") + 2);
