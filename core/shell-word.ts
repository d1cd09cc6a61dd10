/** One word for a shell: as it is if that is safe, else in single quotes. */
export const quoted = (text: string) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** The text of a word that {@link quoted} made. */
export const unquoted = (word: string) => word.replace(/^'(.*)'$/s, "$1").replaceAll("'\\''", "'");
