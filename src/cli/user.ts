import { Command, Option } from "commander";
import { createUser, listUsers, setPassword, type User } from "../identity/index.ts";
import { UserError } from "../errors.ts";
import { cliActor, exactJson, printTable, UsageError, withServices } from "./options.ts";

export function userCommand(): Command {
  return new Command("user")
    .description("who may sign in")
    .addCommand(addCommand())
    .addCommand(passwdCommand())
    .addCommand(listCommand());
}

function addCommand(): Command {
  return new Command("add")
    .description("let somebody sign in: a new user, or one known from Slurm so far")
    .argument("<name>", "username, exactly as Slurm has it")
    .addOption(
      new Option("--role <role>", "what they may do").choices(["user", "admin"] as const).default("user" as const),
    )
    .option("--password-stdin", "read the password from standard input")
    .action(async (username: string, options: { role: "user" | "admin"; passwordStdin?: true }) => {
      const password = await passwordFrom(options.passwordStdin);
      await withServices(async ({ db, clock }) => {
        await createUser(db, clock, { actor: cliActor() }, { username, password, role: options.role });
        process.stdout.write(`${username} can sign in\n`);
      });
    });
}

function passwdCommand(): Command {
  return new Command("passwd")
    .description("set somebody's password and end their sessions")
    .argument("<name>", "username")
    .option("--password-stdin", "read the password from standard input")
    .action(async (username: string, options: { passwordStdin?: true }) => {
      const password = await passwordFrom(options.passwordStdin);
      await withServices(async ({ db }) => {
        await setPassword(db, { actor: cliActor() }, { username, password });
        process.stdout.write(`the password of ${username} is set\n`);
      });
    });
}

function listCommand(): Command {
  return new Command("list")
    .description("all users")
    .option("--json", "print as JSON")
    .action(async (options: { json?: true }) => {
      await withServices(async ({ db }) => {
        const users: User[] = [];
        for (let afterUsername = ""; ;) {
          const page = await listUsers(db, { afterUsername, limit: 500 });
          users.push(...page);
          const last = page.at(-1);
          if (last === undefined || page.length < 500) break;
          afterUsername = last.username;
        }
        if (options.json === true) process.stdout.write(`${exactJson(users)}\n`);
        else
          printTable(
            ["user", "role", "can sign in"],
            users.map((user) => [user.username, user.role, user.canSignIn ? "yes" : "no"]),
          );
      });
    });
}

async function passwordFrom(isStdin: true | undefined): Promise<string> {
  if (isStdin !== true) throw new UsageError("give the password on standard input, with --password-stdin");
  let text = "";
  process.stdin.setEncoding("utf8");
  for await (const chunk of process.stdin) text += String(chunk);
  const password = text.replace(/\r?\n$/u, "");
  if (password === "") throw new UserError("standard input held no password");
  return password;
}
