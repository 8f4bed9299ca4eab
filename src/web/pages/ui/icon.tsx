/** Line icons, inlined so that they cost no request and take the text's colour. */
import {
  Activity,
  ArrowLeft,
  BookOpen,
  Calculator,
  Calendar,
  ChevronDown,
  CircleCheck,
  CircleX,
  Copy,
  Download,
  FileDown,
  Info,
  LayoutDashboard,
  LogOut,
  Printer,
  Receipt,
  RefreshCw,
  Scale,
  Search,
  Server,
  ShieldCheck,
  Tags,
  TriangleAlert,
  User,
  Users,
  Wallet,
} from "lucide-static";

/** Only what is named here ends up in the server's bundle. */
const SOURCES = {
  activity: Activity,
  back: ArrowLeft,
  book: BookOpen,
  calculator: Calculator,
  calendar: Calendar,
  check: CircleCheck,
  chevron: ChevronDown,
  copy: Copy,
  cross: CircleX,
  dashboard: LayoutDashboard,
  download: Download,
  file: FileDown,
  info: Info,
  print: Printer,
  receipt: Receipt,
  refresh: RefreshCw,
  scale: Scale,
  search: Search,
  server: Server,
  shield: ShieldCheck,
  signOut: LogOut,
  tags: Tags,
  user: User,
  users: Users,
  wallet: Wallet,
  warning: TriangleAlert,
} as const;

export type IconName = keyof typeof SOURCES;

/** What is drawn inside the `<svg>` element of the source; our own element carries size and stroke. */
function shapesOf(source: string): string {
  const inner = /<svg[^>]*>([\s\S]*)<\/svg>/.exec(source)?.[1];
  if (inner === undefined) throw new Error("an icon's source is not an SVG");
  return inner.replaceAll(/\s*\n\s*/g, "");
}

const shapes = new Map(Object.entries(SOURCES).map(([name, source]) => [name, shapesOf(source)]));

/** An icon beside words; it is decoration, so the words must say it all. */
export function Icon({ name, size = 16 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg
      class={`icon icon-${name}`}
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.75"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
      dangerouslySetInnerHTML={{ __html: shapes.get(name) ?? "" }}
    />
  );
}

/** The sign of the product: the three resources side by side. */
export function Logo({ size = 20 }: { readonly size?: number }) {
  return (
    <svg class="logo" width={size} height={size} viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path class="fill-cpu" d="M4.5 0H9v20H4.5A4.5 4.5 0 0 1 0 15.5v-11A4.5 4.5 0 0 1 4.5 0z" />
      <path class="fill-gpu" d="M9 0h6v20H9z" />
      <path class="fill-memory" d="M15 0h.5A4.5 4.5 0 0 1 20 4.5v11a4.5 4.5 0 0 1-4.5 4.5H15z" />
    </svg>
  );
}
