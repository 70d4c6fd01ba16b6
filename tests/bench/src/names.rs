//! Makes names, always the same ones.

#[rustfmt::skip]
const FIRST: [&str; 40] = [
    "Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Margaret", "Dennis", "Katherine", "Ken", "Frances",
    "Niklaus", "Radia", "Tony", "Sophie", "Leslie", "Hedy", "John", "Annie", "Robin", "Mary", "James", "Patricia",
    "Robert", "Jennifer", "Michael", "Linda", "David", "Elizabeth", "William", "Jürgen", "Zoë", "José", "Björk",
    "Çağla", "Łukasz", "Renée", "Søren", "Ирина", "Γιώργος",
];

#[rustfmt::skip]
const LAST: [&str; 40] = [
    "Lovelace", "Hopper", "Turing", "Dijkstra", "Liskov", "Knuth", "Hamilton", "Ritchie", "Johnson", "Thompson",
    "Allen", "Wirth", "Perlman", "Hoare", "Wilson", "Lamport", "Lamarr", "Backus", "Easley", "Milner", "Smith",
    "Jones", "Garcia", "Miller", "Davis", "Rodriguez", "Martinez", "Hernandez", "Lopez", "Gonzalez", "Anderson",
    "Thomas", "Taylor", "Moore", "Jackson", "O'Neill", "Guðmundsdóttir", "Ångström", "Толстая", "Σεφέρης",
];

const PARTICLES: [&str; 4] = ["van der ", "de la ", "von ", "di "];

/// Writes the name of a row.
pub(crate) fn write(row: u32, name: &mut String) {
    let mut luck = mixed(u64::from(row));
    let mut choose = |among: usize| {
        let chosen = luck % among as u64;
        luck /= among as u64;
        usize::try_from(chosen).expect("it is below a usize")
    };
    name.clear();
    name.push_str(FIRST[choose(FIRST.len())]);
    name.push(' ');
    if choose(3) == 0 {
        name.push_str(FIRST[choose(FIRST.len())]);
        name.push(' ');
    }
    if choose(8) == 0 {
        name.push_str(PARTICLES[choose(PARTICLES.len())]);
    }
    name.push_str(LAST[choose(LAST.len())]);
}

/// Scatters a number over all of its bits (splitmix64).
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
