/** What a mount of the database secrets engine says of itself where a stack of this program made it. */
export const MOUNT_DESCRIPTION = "logins for services, by secret-rotation";
